package node

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/gateway/milter/postfix"
	"rempart/message/email"
	"rempart/quarantine"
)

// Of who is erased nothing stays in quarantine, whatever address it came to, and their open page shows nothing any more.
func TestEraseOwner(t *testing.T) {
	inbox := postfix.NewSink(t)
	virtual := filepath.Join(t.TempDir(), "virtual")
	if err := os.WriteFile(virtual, []byte("sales@b.example ben\nben@b.example ben\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path, _ := configuration(t, fmt.Sprintf("[mailbox]\ntables = [\"texthash:%s\"]\n[quarantine]\nnext_hop = \"127.0.0.1:%d\"\n"+
		"url = \"https://mail.b.example\"\ndigest_from = \"postmaster@b.example\"\n", virtual, inbox.Port))
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	c.Console.Listen = []string{"127.0.0.1:0"}
	n, _ := serveConfig(t, c)
	err = n.quarantine.Keep(t.Context(), quarantine.Mail{ID: "m1", Time: time.Now(), Raw: []byte("Subject: x\r\n\r\ny\r\n"),
		Recipients: []string{"sales@b.example", "dora@b.example"}, Mailboxes: map[string]string{"sales@b.example": mailboxName("ben", "sales@b.example")}})
	if err != nil {
		t.Fatal(err)
	}
	n.AskSignIn("ben@b.example")
	links := email.ParseBytes([]byte(inbox.Wait(t, "ben@b.example", 1, 20*time.Second)[0].Data)).Links
	if len(links) != 1 {
		t.Fatalf("%+v", links)
	}
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	in, err := browser.Post(n.ConsoleURL()+strings.TrimPrefix(links[0].URL, "https://mail.b.example"), "", nil)
	if err != nil || in.Body.Close() != nil || in.Request.URL.Path != quarantine.MinePath {
		t.Fatalf("signing in leads to %s, %v", in.Request.URL, err)
	}
	if h, err := n.Holds(t.Context(), "Ben@b.example"); err != nil || h.Mails != 1 {
		t.Errorf("held: %+v, %v", h, err)
	}
	if e, err := n.Erase(t.Context(), "Ben@b.example", LocalActor); err != nil || e.Mails != 1 {
		t.Errorf("erased: %+v, %v", e, err)
	}
	out, err := browser.Get(n.ConsoleURL() + quarantine.MinePath)
	if err != nil || out.Body.Close() != nil || out.Request.URL.Path != quarantine.MinePath+"/in" {
		t.Errorf("the page is %s, %v", out.Request.URL, err)
	}
	if p, err := n.Quarantined(t.Context(), quarantine.Query{}); err != nil || len(p.Copies) != 1 || p.Copies[0].Recipient != "dora@b.example" {
		t.Errorf("left: %+v, %v", p, err)
	}
}
