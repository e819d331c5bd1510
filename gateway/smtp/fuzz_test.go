package smtp

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// decode feeds b to a content in pieces of the given size.
func decode(b []byte, size int, chunk bool) (c *content, used int, done bool) {
	c = &content{limit: 1 << 20, held: &memory{limit: 1 << 30}, chunk: chunk}
	for used < len(b) && !done {
		var n int
		n, done = c.feed(b[used:min(len(b), used+size)])
		used += n
	}
	return c, used, done
}

// byLine is DATA as RFC 5321 has it, the slow way.
func byLine(b []byte) (out []byte, used int, done bool) {
	lines := bytes.SplitAfter(b, []byte("\r\n"))
	for _, line := range lines {
		if string(line) == ".\r\n" {
			return out, used + 3, true
		}
		used += len(line)
		line = bytes.TrimPrefix(line, []byte("."))
		body, ended := bytes.CutSuffix(line, []byte("\r\n"))
		body = bytes.ReplaceAll(body, []byte("\r"), []byte(" "))
		out = append(out, bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n"))...)
		if ended {
			out = append(out, "\r\n"...)
		}
	}
	return out, used, false
}

// However the bytes come, the end is where the RFC has it, what is kept has no bare CR or LF, and a server behind sees one mail.
func FuzzContent(f *testing.F) {
	for _, s := range []string{"a\r\n.\r\n", "\n.\n", "\r.\r", ".\r\n", "..\r\n.\r\nx", ".a\r\n\r\n.\r\n", "\r\r\n.\r\r\n", "a\r", ".\r.\r\n.\r\n", "\r\n.\n.\r\n"} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		if len(b) > 1<<16 {
			return
		}
		size = max(1, min(size, 4096))
		c, used, done := decode(b, size, false)
		want, wantUsed, wantDone := byLine(b)
		if done != wantDone || done && used != wantUsed {
			t.Fatalf("%q ends at %d (%v), want %d (%v)", b, used, done, wantUsed, wantDone)
		}
		if done && !bytes.Equal(c.raw, want) {
			t.Fatalf("%q is kept as %q, want %q", b, c.raw, want)
		}
		if rest := bytes.ReplaceAll(c.raw, crlf, nil); bytes.ContainsAny(rest, "\r\n") {
			t.Fatalf("%q is kept as %q", b, c.raw)
		}
		if used := c.held.used.Load(); used != int64(cap(c.raw)) {
			t.Fatalf("%d bytes accounted for %d", used, cap(c.raw))
		}
		chunks, _, _ := decode(b, size, true)
		chunks.end()
		raw := append(chunks.raw[:len(chunks.raw):len(chunks.raw)], "\r\n"...)
		stuffed, atStart := appendStuffed(nil, raw[:len(raw)/2], true)
		stuffed, _ = appendStuffed(stuffed, raw[len(raw)/2:], atStart)
		stuffed = append(stuffed, ".\r\n"...)
		again, used, done := byLine(stuffed)
		if !done || used != len(stuffed) || !bytes.Equal(again, raw) {
			t.Fatalf("%q is sent as %q, of which a server sees %q", b, stuffed, again)
		}
	})
}

// Any mail goes through as it is, by DATA and by BDAT in any chunks, to a next hop of either.
func TestAnyMail(t *testing.T) {
	var rigs []*dialogue
	var hops []*nextHop
	for _, chunking := range []bool{true, false} {
		r := newRig(t, by(nil), nil)
		if !chunking {
			r.hop.lacks("CHUNKING")
		}
		rigs, hops = append(rigs, r.hello()), append(hops, r.hop)
	}
	word := rapid.StringMatching(`[.]{0,2}[ -~\x00é]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		mail := ""
		for _, line := range rapid.SliceOfN(word, 0, 30).Draw(t, "lines") {
			mail += strings.Repeat(line, rapid.IntRange(1, 3).Draw(t, "times")) + "\r\n"
		}
		stuffed, _ := appendStuffed(nil, []byte(mail), true)
		to := rapid.IntRange(0, 1).Draw(t, "next hop")
		d := rigs[to]
		got := ""
		if rapid.Bool().Draw(t, "data") {
			got = d.send(string(stuffed), "accept")
		} else {
			d.begin("accept")
			for rest := mail; ; {
				n := rapid.IntRange(0, len(rest)).Draw(t, "chunk")
				last := n == len(rest)
				line := "BDAT " + strconv.Itoa(n)
				if last {
					line += " LAST"
				}
				d.write(line + "\r\n" + rest[:n])
				got = d.read()
				if rest = rest[n:]; last {
					break
				}
			}
		}
		all := hops[to].mails()
		if !strings.HasPrefix(got, "250") || len(all) == 0 || all[len(all)-1].data != mail {
			t.Fatalf("%q: answered %q", mail, got)
		}
	})
}

// Whatever a client sends: the process lives, the connection ends, every reply is one of SMTP's, and nothing is held.
func FuzzSession(f *testing.F) {
	f.Add([]byte("EHLO a\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<accept@example.net>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n"))
	f.Add([]byte("EHLO a\r\nXFORWARD NAME=a ADDR=1.2.3.4\r\nMAIL FROM:<> SIZE=3 BODY=8BITMIME\r\nRCPT TO:<tag@[1.2.3.4]>\r\nBDAT 3\r\nabcBDAT 2 LAST\r\n\r\nRSET\r\n"))
	f.Add([]byte("HELO a\r\nXCLIENT LOGIN=a\r\nEHLO b\r\nMAIL FROM:<@a,@b:c@d>\r\nRCPT TO:<\"a b\"@c>\r\nDATA\r\n\n.\n\r\n.\r\nVRFY x\r\nBDAT x\r\n"))
	dir := f.TempDir() // TCP would run out of ports
	behind, err := net.Listen("unix", dir+"/out")
	if err != nil {
		f.Fatal(err)
	}
	nextHopOn(f, behind).quiet = true
	r := newRig(f, by(nil), func(c *Config) {
		c.XClientHosts, c.Listen, c.NextHops = []string{"127.0.0.1"}, []string{"unix:" + dir + "/in"}, []string{"unix:" + dir + "/out"}
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := net.Dial("unix", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		go func() {
			_, _ = c.Write(b)
			_ = c.(*net.UnixConn).CloseWrite()
		}()
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		replies := bufio.NewReaderSize(c, 4096)
		for {
			_, err := readReply(replies)
			if err == io.EOF || err != nil && strings.Contains(err.Error(), "reset") {
				return
			}
			if err != nil {
				t.Fatalf("after %q: %v", b, err)
			}
		}
	})
}

// Whatever a next hop answers is read within bounds.
func FuzzReply(f *testing.F) {
	f.Add([]byte("250-a\r\n250 b\r\n"))
	f.Add([]byte("250\r\n"))
	f.Add([]byte("250-\x00\n251 b\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := readReply(bufio.NewReaderSize(bytes.NewReader(b), hopBuffer))
		if err != nil {
			return
		}
		again, err := readReply(bufio.NewReader(bytes.NewReader(r.append(nil))))
		if err != nil || again.String() != r.String() {
			t.Fatalf("%q is %v, passed on %v: %v", b, r, again, err)
		}
	})
}
