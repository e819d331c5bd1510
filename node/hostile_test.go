package node

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	lib "github.com/d--j/go-milter"

	"rempart/corpus"
	"rempart/gateway/milter/postfix"
)

// Whatever a mail is made of, each front door for mail answers it in its own protocol: damaged mails of the corpora, the parser's
// own collection of malformed ones, and mails made to cost much. Memory is given back, and the next honest mail is judged as before.
func TestHostileMailsAtEveryDoor(t *testing.T) {
	d := newDoors(t)
	mails := madeToHurt()
	files, err := filepath.Glob("../message/email/testdata/*.eml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d mails: %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		mails[filepath.Base(file)] = raw
	}
	d.all(t, "warm", []byte(offer))
	before := inUse()
	for name, raw := range mails {
		d.all(t, name, raw)
	}
	t.Run("damaged", func(t *testing.T) {
		for i, raw := range damagedMails(t, 25) {
			d.all(t, fmt.Sprint("damaged ", i), raw)
		}
	})
	d.all(t, "an honest mail", []byte(offer))
	if after := inUse(); after > before+100<<20 {
		t.Errorf("%d MiB in use before, %d after", before>>20, after>>20)
	}
}

// madeToHurt are mails that a parser, a protocol or a learner might choke on.
func madeToHurt() map[string][]byte {
	const head = "From: a@example.com\r\nTo: ben@example.net\r\nSubject: x\r\n"
	nested := strings.Builder{}
	for i := range 10_000 {
		fmt.Fprintf(&nested, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	return map[string][]byte{
		"nothing":                {},
		"a NUL in every place":   []byte("From: a\x00@example.com\r\nSubject: a\x00b\r\nX-\x00: y\r\n\r\n\x00\x00\r\n"),
		"8-bit header":           []byte("From: \xe9\xff <a@example.com>\r\nSubj\xe9ct: \xff\xfe\r\nSubject: \xc3\x28 \xf0\x9f\r\n\r\n\x80\r\n"),
		"no line ends":           bytes.Repeat([]byte("x"), 1<<20),
		"long header":            []byte(head + "X-Long: " + strings.Repeat("long ", 200_000) + "\r\n\r\nx\r\n"),
		"many headers":           []byte(head + strings.Repeat("X-A: from a by b; now\r\n", 20_000) + "\r\nx\r\n"),
		"100,000 parts":          []byte(head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 100_000)),
		"10,000 nestings":        []byte(head + nested.String()),
		"20 MiB of zeros":        bytes.Repeat([]byte{0}, 20<<20),
		"a mail inside the mail": []byte(head + "\r\nx\r\n.\nMAIL FROM:<evil@example.com>\nRCPT TO:<b@example.net>\nDATA\r\n.\rQUIT\n.\n"),
		"our own marks":          []byte("X-Rempart-Action: accept\r\nX-Spam-Status: No\r\n" + head + "\r\nx\r\n"),
	}
}

// damagedMails is each nth mail of the corpora, cut, with flipped bits and glued to the one before.
func damagedMails(t *testing.T, nth int) (out [][]byte) {
	t.Helper()
	dir := shared(t)
	random := rand.New(rand.NewPCG(7, 7))
	var last []byte
	n := 0
	err := corpus.Each([]string{filepath.Join(dir, "data/email/today/mail"), filepath.Join(dir, "data/email/phishing-pot")}, nil, func(item corpus.Item) error {
		raw := item.Message.Raw
		if n++; n%nth != 0 || len(raw) == 0 {
			return nil
		}
		flipped := slices.Clone(raw)
		for range 1 + len(raw)/500 {
			flipped[random.IntN(len(raw))] ^= 1 << random.IntN(8)
		}
		out = append(out, slices.Clone(raw[:random.IntN(len(raw))]), flipped, append(slices.Clone(last[:len(last)/2]), raw...))
		last = slices.Clone(raw)
		return nil
	})
	if err != nil || len(out) < 100 {
		t.Fatalf("%d damaged mails, %v", len(out), err)
	}
	return out
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// doors is a node with every front door for mail, and how a client of each hands in a mail: it fails unless the answer is one of
// the protocol's.
type doors struct {
	node *Node
	ask  map[string]func(raw []byte) error
}

func newDoors(t *testing.T) *doors {
	t.Helper()
	sink := postfix.NewSink(t)
	sink.Light = true
	const door = "[[gateway.%s]]\nname = %q\nlisten = [\"127.0.0.1:0\"]\n"
	path, api := configuration(t, fmt.Sprintf(door+door+door+door+"next_hops = [\"127.0.0.1:%d\"]\n", "milter", "milter", "rspamd", "rspamd",
		"spamd", "spamd", "smtp", "smtp", sink.Port))
	n, _ := serve(t, path)
	judge := "http://" + api + "/v1/judge/email?mail_from=a@example.com&rcpt_to=ben@example.net"
	at := func(name string) string { return n.Address(name).String() }
	return &doors{node: n, ask: map[string]func([]byte) error{
		"milter": func(raw []byte) error { return byMilter(at("milter"), raw) },
		"rspamd": func(raw []byte) error {
			return byHTTP("http://"+at("rspamd")+"/checkv2", `"action":`, raw, 200)
		},
		"api": func(raw []byte) error {
			if len(raw) == 0 {
				return byHTTP(judge, "", raw, 400) // a request without a mail
			}
			return byHTTP(judge, `"score":`, raw, 200)
		},
		"spamd": func(raw []byte) error { return bySpamd(at("spamd"), raw) },
		"smtp":  func(raw []byte) error { return bySMTP(at("smtp"), raw) },
	}}
}

// all hands the mail in at every door.
func (d *doors) all(t *testing.T, name string, raw []byte) {
	t.Helper()
	for door, ask := range d.ask {
		if err := ask(raw); err != nil {
			t.Errorf("%s, %s: %v", door, name, err)
		}
	}
}

// byMilter hands a mail in as Postfix does, which takes its header section apart.
func byMilter(addr string, raw []byte) error {
	s, err := lib.NewClient("tcp", addr).Session(lib.NewMacroBag())
	if err != nil {
		return err
	}
	defer s.Close()
	act := func(a *lib.Action, err error) error {
		if err == nil && a.StopProcessing() {
			err = fmt.Errorf("answered %+v", a)
		}
		return err
	}
	if err := act(s.Conn("mx.example.org", lib.FamilyInet, 25, "192.0.2.7")); err != nil {
		return err
	}
	if err := act(s.Helo("mx.example.org")); err != nil {
		return err
	}
	if err := act(s.Mail("a@example.com", "")); err != nil {
		return err
	}
	if err := act(s.Rcpt("ben@example.net", "")); err != nil {
		return err
	}
	if err := act(s.DataStart()); err != nil {
		return err
	}
	body := raw
	for {
		line, rest, _ := bytes.Cut(body, []byte("\n"))
		name, value, isField := strings.Cut(strings.TrimRight(string(line), "\r"), ":")
		if !isField || name == "" || strings.ContainsAny(name, " \t\x00") {
			break
		}
		if err := act(s.HeaderField(name, strings.ReplaceAll(value[:min(len(value), 100_000)], "\x00", ""), nil)); err != nil {
			return err
		}
		body = rest
	}
	if err := act(s.HeaderEnd()); err != nil {
		return err
	}
	for chunk := range slices.Chunk(append(body, "\r\n"...), 65535) { // the library's client cannot leave the body out
		if a, err := s.BodyChunk(chunk); err != nil || a.Type == lib.ActionSkip {
			if err != nil {
				return err
			}
			break // it has seen enough
		}
	}
	_, a, err := s.End()
	if err == nil && a.Type == 0 {
		err = fmt.Errorf("no answer to the end of the mail")
	}
	return err
}

// byHTTP wants one of the statuses, and that in an answer of 200.
func byHTTP(url, want string, raw []byte, statuses ...int) error {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "message/rfc822")
	req.Header.Set("Authorization", "Bearer secret")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && (!slices.Contains(statuses, resp.StatusCode) || resp.StatusCode == 200 && !strings.Contains(string(b), want)) {
		err = fmt.Errorf("%s: %.300s", resp.Status, b)
	}
	return err
}

func bySpamd(addr string, raw []byte) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "SYMBOLS SPAMC/1.5\r\nUser: ben@example.net\r\nContent-length: %d\r\n\r\n%s", len(raw), raw); err != nil {
		return err
	}
	b, err := io.ReadAll(c)
	if err == nil && (!strings.HasPrefix(string(b), "SPAMD/1.1 0 EX_OK\r\n") || !strings.Contains(string(b), "Spam: ")) {
		err = fmt.Errorf("%.300q", b)
	}
	return err
}

func bySMTP(addr string, raw []byte) error {
	c, err := smtp.Dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Mail("a@example.com"); err != nil {
		return err
	}
	if err := c.Rcpt("ben@example.net"); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}
