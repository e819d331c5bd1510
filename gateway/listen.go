package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Listen opens what a front door's listen key names: "127.0.0.1:8891" or "[::1]:8891"; "unix:/run/rempart/milter.sock";
// "systemd" for all sockets that systemd passed, "systemd:NAME" for those of that FileDescriptorName. Only systemd can
// give more than one. A UNIX socket that nobody listens on any more is replaced; who may reach it is its directory's
// matter, the socket itself is open to all.
func Listen(ctx context.Context, addr string) ([]net.Listener, error) {
	if name, ok := strings.CutPrefix(addr, "systemd"); ok && (name == "" || name[0] == ':') {
		return fromSystemd(strings.TrimPrefix(name, ":"))
	}
	var (
		l   net.Listener
		err error
		lc  net.ListenConfig
	)
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		l, err = listenUnix(ctx, path)
	} else {
		l, err = lc.Listen(ctx, "tcp", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return []net.Listener{l}, nil
}

// ListenAll opens all addresses or none.
func ListenAll(ctx context.Context, addrs []string) ([]net.Listener, error) {
	var all []net.Listener
	for _, addr := range addrs {
		ls, err := Listen(ctx, addr)
		if err != nil {
			for _, l := range all {
				err = errors.Join(err, l.Close())
			}
			return nil, err
		}
		all = append(all, ls...)
	}
	return all, nil
}

// ListenBoth opens each address, "127.0.0.1:5060", for streams and for datagrams, all or none. Port 0 is the same for both.
func ListenBoth(ctx context.Context, addrs []string) (streams []net.Listener, packets []*net.UDPConn, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(append([]error{err}, closeAll(streams, packets)...)...)
			streams, packets = nil, nil
		}
	}()
	for _, addr := range addrs {
		l, p, err := listenBoth(ctx, addr)
		for range portTries {
			if _, port, _ := net.SplitHostPort(addr); port != "0" || !errors.Is(err, syscall.EADDRINUSE) {
				break
			}
			l, p, err = listenBoth(ctx, addr) // the system gave a port that is free for streams alone
		}
		if err != nil {
			return streams, packets, err
		}
		streams, packets = append(streams, l), append(packets, p)
	}
	return streams, packets, nil
}

const portTries = 20

func listenBoth(ctx context.Context, addr string) (net.Listener, *net.UDPConn, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	p, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(l.Addr().(*net.TCPAddr).AddrPort()))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("listen on %s for datagrams: %w", addr, err), l.Close())
	}
	return l, p, nil
}

func closeAll(streams []net.Listener, packets []*net.UDPConn) (errs []error) {
	for _, l := range streams {
		errs = append(errs, l.Close())
	}
	for _, p := range packets {
		errs = append(errs, p.Close())
	}
	return errs
}

func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if errors.Is(err, syscall.EADDRINUSE) && abandoned(ctx, path) {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
		l, err = lc.Listen(ctx, "unix", path)
	}
	if err != nil {
		return nil, err
	}
	// The mail server runs as another user.
	if err := os.Chmod(path, 0o666); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// abandoned reports whether path is a socket that nobody listens on: what a killed process leaves behind.
func abandoned(ctx context.Context, path string) bool {
	if st, err := os.Lstat(path); err != nil || st.Mode()&os.ModeSocket == 0 {
		return false
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// firstSystemdFD is SD_LISTEN_FDS_START of sd_listen_fds(3).
const firstSystemdFD = 3

func fromSystemd(name string) ([]net.Listener, error) {
	n, _ := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if pid, _ := strconv.Atoi(os.Getenv("LISTEN_PID")); n == 0 || pid != os.Getpid() {
		return nil, errors.New("listen on systemd: no socket was passed (LISTEN_FDS); start the .socket unit, or name an address")
	}
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	var all []net.Listener
	for i := range n {
		if name != "" && (i >= len(names) || names[i] != name) {
			continue
		}
		fd := uintptr(firstSystemdFD + i)
		f := os.NewFile(fd, "systemd")
		l, err := net.FileListener(f) // its own copy of the descriptor: a second door may ask for the same one
		if err != nil {
			return nil, fmt.Errorf("listen on systemd: descriptor %d is no stream socket: %w", fd, err)
		}
		all = append(all, l)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("listen on systemd:%s: no socket of that FileDescriptorName was passed, only %s", name, strings.Join(names, ", "))
	}
	return all, nil
}
