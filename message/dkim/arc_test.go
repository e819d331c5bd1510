package dkim

import (
	"bytes"
	"testing"
	"time"
)

// What a header says of chains is anybody's bytes: it is read within bounds, and no chain without a key passes.
func FuzzChain(f *testing.F) {
	f.Add([]byte("ARC-Seal: i=1; a=rsa-sha256; cv=none; d=a.example; s=s; b=AA==\r\nARC-Message-Signature: i=1; a=rsa-sha256; h=from; d=a.example; s=s; bh=AA==; b=AA==\r\n" +
		"ARC-Authentication-Results: i=1; mx.a.example; spf=pass\r\nFrom: a@a.example\r\n\r\nx\r\n"))
	f.Add([]byte("From x\nDKIM-Signature: v=1; a=ed25519-sha256; l=0; h=from:from; d=a.example; s=s; b=\n AA==; bh=AA==\nFrom : a\n\tb\n\n"))
	f.Add([]byte(`ARC-Authentication-Results: i=50; a; dkim = pass (x) reason="\"` + "\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		fields, body, ok := Split(raw)
		v := Verifier{Mail: NewMail(fields, body), Keys: map[string]Found{}, Whole: ok}
		noKey := Found{Err: permerror("no key")}
		sets, err := ReadChain(fields)
		if last, _ := LastInstance(fields); last < len(sets) {
			t.Fatalf("%d sets, the last is %d", len(sets), last)
		}
		if len(sets) > MaxInstances {
			t.Fatalf("%d sets", len(sets))
		}
		for _, fl := range fields {
			got := Relaxed.AppendField(nil, fl)
			if again, _, _ := Split(append(got, "\r\n"...)); len(again) != 1 || !bytes.Equal(got, Relaxed.AppendField(nil, again[0])) {
				t.Fatalf("canonical form of %q is not canonical: %q", fl.Raw, got)
			}
		}
		if err == nil {
			for _, s := range sets.Signers() {
				v.Keys[s.KeyName()] = noKey
			}
			if arc := v.Chain(sets); arc.Status == "pass" {
				t.Fatalf("%+v", arc)
			}
		}
		for _, s := range Signatures(fields, time.Unix(1_700_000_000, 0)) {
			if s.Err == nil {
				v.Keys[s.KeyName()] = noKey
			}
		}
		for _, d := range v.DKIM(Signatures(fields, time.Unix(1_700_000_000, 0))) {
			if d.Status == "pass" {
				t.Fatalf("%+v", d)
			}
		}
		if sum := Relaxed.Hash(body); sum.Size > int64(2*len(body)+2) {
			t.Fatalf("%d octets hashed of %d", sum.Size, len(body))
		}
	})
}
