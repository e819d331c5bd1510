//go:build integration

package clamav

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart/config"
	"rempart/filter/clamav/clamd"
	"rempart/message"
	"rempart/message/email"
)

// attached is a mail with that file.
func attached(file string) *message.Message {
	return email.ParseBytes([]byte("From: Ann <ann@a.example>\r\nTo: ben@b.example\r\nSubject: the invoice\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nPlease see the attached invoice.\r\n" +
		"--x\r\nContent-Type: application/octet-stream; name=invoice.com\r\nContent-Disposition: attachment; filename=invoice.com\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(file)) + "\r\n--x--\r\n"))
}

var (
	found   = message.Scan{State: message.StatePresent, Name: clamd.Name}
	clean   = message.Scan{State: message.StateAbsent}
	unknown = message.Scan{State: message.StateUnknown}
)

func TestRealClamd(t *testing.T) {
	server := clamd.Start(t, "1M")
	var log strings.Builder
	s := New(Config{Address: "unix:" + server.Socket, Budget: config.Duration(20 * time.Second), MaxSize: 2 << 20},
		slog.New(slog.NewTextHandler(&log, nil)))
	cut := attached("an invoice")
	cut.Size++
	for _, tt := range []struct {
		name string
		m    *message.Message
		want message.Scan
	}{
		{"the test file", attached(clamd.EICAR), found},
		{"another file", attached("an invoice"), clean},
		{"a mail of many chunks", attached(strings.Repeat("an invoice ", 30_000)), clean},
		{"a mail that was not kept whole", cut, unknown},
		{"a mail longer than its limit", attached(strings.Repeat("an invoice ", 120_000)), unknown},
	} {
		s.Check(t.Context(), tt.m)
		if tt.m.Facts.Scan != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, tt.m.Facts.Scan, tt.want)
		}
	}
	if s.Down() || log.Len() > 0 {
		t.Errorf("a mail too long is taken for an outage: %s", log.String())
	}

	server.Kill()
	for range maxFailed {
		if m := attached(clamd.EICAR); true {
			s.Check(t.Context(), m)
			if m.Facts.Scan != unknown {
				t.Fatalf("nobody scanned, and it is %+v", m.Facts.Scan)
			}
		}
	}
	if !s.Down() || !strings.Contains(log.String(), "clamd does not answer") {
		t.Fatalf("not switched off: %s", log.String())
	}
	server.Restart(t)
	s.outage.until = time.Now() // the ten seconds are over
	m := attached(clamd.EICAR)
	s.Check(context.Background(), m)
	if m.Facts.Scan != found || s.Down() || !strings.Contains(log.String(), "clamd answers again") {
		t.Errorf("clamd is back, and it is %+v: %s", m.Facts.Scan, log.String())
	}
}

// Archives that keep the real clamd busy beyond their budget, side by side, do not switch it off: it answers PING meanwhile.
func TestRealClamdBusy(t *testing.T) {
	server := clamd.Start(t, "25M")
	var log strings.Builder
	s := New(Config{Address: "unix:" + server.Socket, Budget: config.Duration(20 * time.Millisecond)}, slog.New(slog.NewTextHandler(&log, nil)))
	heavy := archive(t)
	var mails sync.WaitGroup
	for range 4 * maxFailed {
		mails.Go(func() {
			m := attached(heavy)
			s.Check(t.Context(), m)
			if m.Facts.Scan != unknown {
				t.Errorf("20 ms were enough: %+v", m.Facts.Scan)
			}
		})
	}
	if mails.Wait(); s.Down() || log.Len() > 0 {
		t.Errorf("heavy mail is taken for an outage: %s", log.String())
	}
}

// archive is a ZIP file with 50 files of 1 MB, which clamd unpacks and looks through each.
func archive(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range 50 {
		w, err := z.Create(fmt.Sprintf("%d.txt", i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, strings.Repeat(fmt.Sprintf("an invoice %d ", i), 80_000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
