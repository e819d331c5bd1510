package nexthop

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server answers each line by the longest beginning that it knows, else 250; an answer of "" breaks the connection off, one of "..." never
// ends. It returns its address and what it was told.
func server(t *testing.T, answers map[string]string) (addr string, told func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var lines strings.Builder
	var group sync.WaitGroup
	talk := func(conn net.Conn) {
		defer conn.Close()
		fmt.Fprint(conn, "220 next.example\r\n")
		in := bufio.NewScanner(conn)
		data := false
		for in.Scan() {
			line := in.Text()
			mu.Lock()
			lines.WriteString(line + "\n")
			mu.Unlock()
			if data = data && line != "."; data {
				continue
			}
			answer, longest := "250 fine", ""
			for begin, a := range answers {
				if strings.HasPrefix(line, begin) && len(begin) > len(longest) {
					answer, longest = a, begin
				}
			}
			if strings.HasPrefix(line, "DATA") && longest == "" {
				answer, data = "354 go on", true
			}
			if answer == "" {
				return
			}
			answer, hangs := strings.CutSuffix(answer, "...")
			fmt.Fprint(conn, answer+"\r\n")
			if hangs {
				_, _ = io.Copy(io.Discard, conn)
				return
			}
		}
	}
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() { talk(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); group.Wait() })
	return l.Addr().String(), func() string {
		mu.Lock()
		defer mu.Unlock()
		return lines.String()
	}
}

const raw = "Subject: hi\r\n\r\nhi\r\n"

// Opportunistic TLS that is refused or broken is no worse than none; what asks for more gets an error and hands nothing over, and so
// does who has a password to keep.
func TestWithoutTLS(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	offers := "250-next.example\r\n250-STARTTLS\r\n250 AUTH PLAIN"
	for _, tt := range []struct {
		name    string
		answers map[string]string
		a       Access
		want    string // in the error
	}{
		{"none offered", nil, Access{}, ""},
		{"refused", map[string]string{"EHLO": offers, "STARTTLS": "454 not now"}, Access{}, ""},
		{"broken", map[string]string{"EHLO": offers, "STARTTLS": "220 ready\r\n250 not really"}, Access{}, ""},
		{"none offered", nil, Access{TLS: "encrypt"}, "offers no STARTTLS"},
		{"refused", map[string]string{"EHLO": offers, "STARTTLS": "454 not now"}, Access{TLS: "encrypt"}, "454"},
		{"broken", map[string]string{"EHLO": offers, "STARTTLS": "220 ready\r\n250 not really"}, Access{TLS: "verify"}, "TLS failed"},
		{"a password", map[string]string{"EHLO": "250-next.example\r\n250 AUTH PLAIN"}, Access{User: "u", PasswordFile: password}, "offers no STARTTLS"},
	} {
		addr, told := server(t, tt.answers)
		err := Send(t.Context(), addr, tt.a, "", "ben@b.example", []byte(raw))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %+v: %v", tt.name, tt.a, err)
		}
		if delivered := strings.Contains(told(), "Subject: hi"); delivered != (tt.want == "") || strings.Contains(told(), "AUTH ") {
			t.Errorf("%s, %+v: delivered %v, told %q", tt.name, tt.a, delivered, told())
		}
	}
}

// A handshake that hangs leaves time for an attempt without it, and who waits on a page an answer.
func TestHandshakeHangs(t *testing.T) {
	t.Parallel() // it takes dialTime
	begin := time.Now()
	addr, told := server(t, map[string]string{"EHLO": "250-next.example\r\n250 STARTTLS", "STARTTLS": "220 ready..."})
	err := Send(t.Context(), addr, Access{}, "", "ben@b.example", []byte(raw))
	if took := time.Since(begin); err != nil || took > 2*dialTime || !strings.Contains(told(), "Subject: hi") {
		t.Errorf("after %s: %v, told %q", took, err, told())
	}
}

func TestGreetingHangs(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // the system connects for it; nobody greets
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	begin := time.Now()
	err = Send(t.Context(), l.Addr().String(), Access{}, "", "ben@b.example", []byte(raw))
	if took := time.Since(begin); !errors.Is(err, ErrUnavailable) || took > 2*dialTime {
		t.Errorf("after %s: %v", took, err)
	}
}

// Who asks can tell a refusal of this recipient from trouble with the next hop, and both from a connection that broke off.
func TestWhatIsRefused(t *testing.T) {
	for _, tt := range []struct {
		verb, answer      string
		mine, unavailable bool
	}{{"RCPT", "550 no", true, false}, {"DATA", "550 no", true, false}, {"MAIL", "550 no", false, true}, {"EHLO", "550 no", false, true},
		{"EHLO", "", false, true}, {"RCPT", "", false, false}, {"DATA", "", false, false}, {".", "", false, false}} {
		addr, _ := server(t, map[string]string{tt.verb: tt.answer, "HELO": "550 no"})
		err := Send(t.Context(), addr, Access{}, "a@a.example", "ben@b.example", []byte(raw))
		var refused *textproto.Error
		if err == nil || errors.As(err, &refused) != tt.mine || errors.Is(err, ErrUnavailable) != tt.unavailable {
			t.Errorf("%s %q: %v", tt.verb, tt.answer, err)
		}
	}
	if err := Send(t.Context(), "127.0.0.1:1", Access{}, "", "ben@b.example", []byte(raw)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	good, empty := filepath.Join(dir, "good"), filepath.Join(dir, "empty")
	longest, longer := filepath.Join(dir, "longest"), filepath.Join(dir, "longer")
	if err := errors.Join(os.WriteFile(good, []byte("x y\r\nsecond"), 0o600), os.WriteFile(empty, []byte("\nx"), 0o600),
		os.WriteFile(longest, []byte(strings.Repeat("x", maxPassword)+"\r\nsecond"), 0o600), os.WriteFile(longer, []byte(strings.Repeat("x", maxPassword+1)+"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	endless := filepath.Join(dir, "endless")
	if err := syscall.Mkfifo(endless, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(endless, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if _, err := pipe.WriteString(strings.Repeat("x", maxPassword+2)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		a    Access
		hop  string
		want string
	}{
		{Access{}, "unix:/run/next", ""},
		{Access{TLS: "verify"}, "mail.example:587", ""},
		{Access{TLS: "verify"}, "unix:/run/next", "q.next_hop_tls"},
		{Access{TLS: "yes"}, "mail.example:587", `q.next_hop_tls = "yes"`},
		{Access{User: "u", PasswordFile: good}, "mail.example:587", ""},
		{Access{User: "u", PasswordFile: good, TLS: "encrypt"}, "mail.example:587", `q.next_hop_tls = "encrypt": whoever answers`},
		{Access{User: "u", PasswordFile: good, TLS: "encrypt"}, "192.0.2.1:587", "q.next_hop_tls"},
		{Access{User: "u", PasswordFile: good, TLS: "encrypt"}, "127.0.0.1:587", ""},
		{Access{User: "u", PasswordFile: good, TLS: "encrypt"}, "[::1]:587", ""},
		{Access{User: "u", PasswordFile: good, TLS: "encrypt"}, "localhost:587", ""},
		{Access{User: "u", PasswordFile: good, TLS: "encrypt"}, "unix:/run/next", ""},
		{Access{TLS: "encrypt"}, "mail.example:587", ""},
		{Access{User: "u", PasswordFile: good, TLS: "may"}, "mail.example:587", "q.next_hop_tls"},
		{Access{User: "u", PasswordFile: good, TLS: "may"}, "127.0.0.1:587", "q.next_hop_tls"},
		{Access{User: "u", PasswordFile: endless}, "mail.example:587", "q.next_hop_password_file: "},
		{Access{User: "u", PasswordFile: longest}, "mail.example:587", ""},
		{Access{User: "u", PasswordFile: longer}, "mail.example:587", "q.next_hop_password_file: "},
		{Access{User: "u", PasswordFile: empty}, "mail.example:587", "q.next_hop_password_file: "},
		{Access{User: "u", PasswordFile: dir + "/none"}, "mail.example:587", "q.next_hop_password_file: "},
		{Access{User: "u"}, "mail.example:587", "q.next_hop_user"},
		{Access{PasswordFile: good}, "mail.example:587", "q.next_hop_user"},
	} {
		if err := tt.a.Check("q", tt.hop); (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%+v at %s: %v", tt.a, tt.hop, err)
		}
	}
	if got, err := (&Access{PasswordFile: good}).password(); got != "x y" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}
