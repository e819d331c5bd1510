package dkim

import (
	"crypto/sha256"
	"errors"
	"testing"
)

// A real key of 512 bits, from ValiMail's suite.
const shortKey = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAIWmlgix/84GJ+dfgjm7LTc9EPdfkftlgiPpCq4/kbDAZmU0VvYKDljjleJ1dfvS+CGy9U/kk1tG3EeEvb82xAcCAwEAAQ=="

// A key record is anybody's bytes: it is a key of a size that proves something, or a fault.
func FuzzParseKey(f *testing.F) {
	f.Add("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=; t=y:s; h=sha256; s=email")
	f.Add("v=DKIM1; p=" + shortKey)
	f.Fuzz(func(t *testing.T, text string) {
		k, err := ParseKey(text)
		var why *Fault
		if err != nil {
			if !errors.As(err, &why) {
				t.Fatalf("%v is no fault", err)
			}
			return
		}
		if err := k.Check("rsa-sha256", make([]byte, sha256.Size), make([]byte, 256)); !errors.As(err, &why) {
			t.Fatalf("a signature of zeros gives %v", err)
		}
	})
}
