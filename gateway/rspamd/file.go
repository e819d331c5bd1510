package rspamd

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

var errNotLocal = errors.New("headers File and Shm are read for clients on a UNIX socket or on loopback alone: send the mail in the body")

// openLocal opens the file (header File) or the shared memory (Shm, with Shm-Offset and Shm-Length) that holds the mail;
// nil if the request names none. It reads with the rights of this process, and regular files only, so that no pipe holds a
// request up.
func openLocal(r *http.Request) (io.ReadCloser, error) {
	path, shm := unquote(r.Header.Get("File")), unquote(r.Header.Get("Shm"))
	if path == "" && shm == "" {
		return nil, nil
	}
	if !onThisMachine(r) {
		return nil, errNotLocal
	}
	offset, length := int64(0), int64(-1)
	if shm != "" {
		name := strings.TrimPrefix(shm, "/") // shm_open(3)
		if name == "" || strings.ContainsAny(name, "/\x00") || name == "." || name == ".." {
			return nil, fmt.Errorf("header Shm = %q: use the name of a POSIX shared memory", shm)
		}
		path = filepath.Join("/dev/shm", name)
		var err error
		if offset, err = number(r.Header, "Shm-Offset", 0); err != nil {
			return nil, err
		}
		if length, err = number(r.Header, "Shm-Length", -1); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open the mail: %w", err)
	}
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("open the mail: %s is no regular file", path), f.Close())
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(fmt.Errorf("open the mail: %w", err), f.Close())
	}
	if length < 0 {
		return f, nil
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(f, length), f}, nil
}

func number(h http.Header, name string, missing int64) (int64, error) {
	s := h.Get(name)
	if s == "" {
		return missing, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("header %s = %q: use a number of bytes", name, s)
	}
	return n, nil
}

// unquote undoes the quotes and the percent signs that rspamd's clients put into a path.
func unquote(s string) string {
	s = strings.Trim(s, `"`)
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// onThisMachine reports whether the client is, and speaks for itself: a proxy on this machine passes on others' requests.
func onThisMachine(r *http.Request) bool {
	if passedOn(r) {
		return false
	}
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && a.Network() == "unix" {
		return true
	}
	return client(r).IsLoopback()
}

// client is who is connected; the zero address on a UNIX socket.
func client(r *http.Request) netip.Addr {
	a, _ := netip.ParseAddrPort(r.RemoteAddr)
	return a.Addr().Unmap()
}

func passedOn(r *http.Request) bool {
	return r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" || r.Header.Get("X-Real-Ip") != ""
}
