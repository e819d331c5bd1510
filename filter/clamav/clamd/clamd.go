// Package clamd runs real ClamAV daemons for tests, each with a socket and a signature database of its own that knows the EICAR
// test file alone. It needs Debian's clamav-daemon; where it is missing the test skips.
package clamd

import (
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Server is a clamd that can be stopped and started. It ends with its test.
type Server struct {
	Socket string // path of its UNIX socket
	conf   string
	cmd    *exec.Cmd
}

// EICAR is the test file of the European Institute for Computer Antivirus Research, which harms nobody. It is written in parts so
// that no scanner takes this program for it.
const EICAR = `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

// Name is what this clamd calls the EICAR test file: what is not signed by ClamAV's makers is marked.
const Name = "Eicar-Test.UNOFFICIAL"

// Start runs a clamd that takes streams of at most limit, "25M".
func Start(t *testing.T, limit string) *Server {
	t.Helper()
	if _, err := exec.LookPath("clamd"); err != nil {
		t.Skip("clamd is not installed")
	}
	dir := t.TempDir()
	database := filepath.Join(dir, "database")
	s := &Server{Socket: filepath.Join(dir, "clamd.ctl"), conf: filepath.Join(dir, "clamd.conf")}
	if err := os.Mkdir(database, 0o700); err != nil {
		t.Fatal(err)
	}
	// Name, any kind of file, at its beginning: clamd's extended signatures (.ndb).
	write(t, filepath.Join(database, "eicar.ndb"), "Eicar-Test:0:0:"+hex.EncodeToString([]byte(EICAR))+"\n")
	write(t, s.conf, fmt.Sprintf("Foreground yes\nDatabaseDirectory %s\nLocalSocket %s\nStreamMaxLength %s\nLogFile %s\n",
		database, s.Socket, limit, filepath.Join(dir, "clamd.log")))
	t.Cleanup(func() {
		s.Kill()
		if log, err := os.ReadFile(filepath.Join(dir, "clamd.log")); err == nil && t.Failed() {
			t.Logf("clamd's log:\n%s", log)
		}
	})
	s.Restart(t)
	return s
}

// Restart starts a clamd that was killed, and waits until it answers.
func (s *Server) Restart(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command("clamd", "--config-file="+s.conf)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("unix", s.Socket)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("clamd does not answer: %v", err)
		}
	}
}

// Kill ends it as the kernel does when memory runs out.
func (s *Server) Kill() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
