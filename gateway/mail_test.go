package gateway

import "testing"

func TestRecipient(t *testing.T) {
	for address, domain := range map[string]string{"ben@b.example": "b.example", `"a@b"@c.example`: "c.example", "root": "", "": ""} {
		if r := Recipient(address); r.Address != address || r.Domain != domain {
			t.Errorf("%q: %+v", address, r)
		}
	}
}
