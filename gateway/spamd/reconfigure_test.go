package spamd

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"rempart/gateway"
	"rempart/message"
)

// A new configuration counts from the next request on; a wrong one is refused with its keys.
func TestReconfigure(t *testing.T) {
	r := newRig(t, "", "")
	if head, _ := r.ask("CHECK", scam); !strings.Contains(head, "Spam: True") {
		t.Fatalf("%q", head)
	}
	c := r.cfg
	c.Mode = message.ModeShadow
	if err := r.door.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	if head, _ := r.ask("CHECK", scam); !strings.Contains(head, "Spam: False") {
		t.Errorf("%q", head)
	}
	for key, bad := range map[string]Config{"max_size": {MaxSize: 1}, "relays": {MailDoor: gateway.MailDoor{Relays: []string{"x"}}}, "teachers": {Teachers: []string{"x"}},
		"rewrite_subject": {MailDoor: gateway.MailDoor{RewriteSubject: "a\nb"}}} {
		bad.Door = c.Door
		if err := r.door.Reconfigure(bad); err == nil || !strings.Contains(err.Error(), "gateway.spamd."+key) {
			t.Errorf("%+v was taken: %v", bad, err)
		}
	}
}

// What is in hand when the node stops is answered; who only connected is not waited for.
func TestDrain(t *testing.T) {
	r := newRig(t, "", "")
	idle, busy := r.dial(), r.dial()
	defer idle.Close()
	defer busy.Close()
	fmt.Fprintf(busy, "CHECK SPAMC/1.5\r\nContent-length: %d\r\n\r\n", len(mail))
	r.ask("PING", "") // later than the others: they are being served
	r.stop()
	if b, err := io.ReadAll(idle); len(b) > 0 || err != nil {
		t.Errorf("%q %v", b, err)
	}
	_, _ = io.WriteString(busy, mail)
	if b, err := io.ReadAll(busy); err != nil || !strings.HasPrefix(string(b), "SPAMD/1.1 0 EX_OK\r\nSpam: False ;") {
		t.Errorf("%q %v", b, err)
	}
}

// One mail on a connection of its own, filter and policy included.
func BenchmarkCheck(b *testing.B) {
	r := newRig(b, "", "")
	request := asked("CHECK", scam)
	b.SetBytes(int64(len(scam)))
	b.ReportAllocs()
	for b.Loop() {
		if got := r.send(request); !strings.HasPrefix(got, "SPAMD/1.1 0 EX_OK") {
			b.Fatal(got)
		}
	}
}
