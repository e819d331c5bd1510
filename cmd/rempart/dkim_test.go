package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/dns/dnstest"
)

// From the key to the record in DNS and back: what `dkim new` prints, put into a zone, is what `dkim check` finds.
func TestDKIMCheck(t *testing.T) {
	dir := t.TempDir()
	command := func(args ...string) (code int, stdout, stderr string) {
		var out, errs bytes.Buffer
		code = run(&env{ctx: t.Context(), stdout: &out, stderr: &errs, now: time.Now}, args)
		return code, out.String(), errs.String()
	}
	config := ""
	var zone []string
	for _, key := range []struct{ selector, kind string }{{"2026", "rsa"}, {"2026e", "ed25519"}, {"2027", "rsa"}} {
		file := filepath.Join(dir, key.selector)
		code, out, errs := command("dkim", "new", "--domain", "a.example", "--selector", key.selector, "--type", key.kind, "--file", file)
		if code != exitOK {
			t.Fatal(errs)
		}
		record, _, _ := strings.Cut(out, "; the key")
		zone = append(zone, strings.TrimSpace(strings.NewReplacer(" IN TXT", " 60 IN TXT", "\n", " ").Replace(record)))
		config += fmt.Sprintf("[[sign.key]]\ndomain = 'a.example'\nselector = %q\nfile = %q\n", key.selector, file)
	}
	check := func(records ...string) (int, string, string) {
		path := filepath.Join(dir, "rempart.toml")
		text := fmt.Sprintf("[dns]\nservers = [%q]\n%s", dnstest.Serve(t, records...).Addr, config)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return command("dkim", "check", "--config", path)
	}
	code, out, _ := check(zone...)
	if code != exitOK || strings.Count(out, ": published\n") != 3 {
		t.Errorf("%d, %s", code, out)
	}
	// Of the new key the record of the old one was published.
	wrong := strings.Replace(zone[0], "2026.", "2027.", 1)
	code, out, errs := check(zone[0], wrong)
	if code != exitFailure || !strings.Contains(errs, "not every key can sign") || !strings.Contains(out, "2026 rsa-sha256, "+dir+"/2026: published\n") ||
		!strings.Contains(out, "/2026e: missing: DNS has no such record\n  DNS is to have:\n2026e._domainkey.a.example. IN TXT (") ||
		!strings.Contains(out, "/2027: wrong: the record holds another key\n") {
		t.Errorf("%d, %s%s", code, out, errs)
	}
}
