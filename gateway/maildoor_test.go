package gateway

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestMailDoor(t *testing.T) {
	d := MailDoor{Door: Door{Name: "mx", Listen: []string{"127.0.0.1:0"}}, Relays: []string{"192.0.2.7", "2001:db8::1/32"}}
	want := []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8::/32")}
	if relays, err := d.Check("gateway.x[0]", 0); err != nil || !slices.Equal(relays, want) {
		t.Errorf("%v %v", relays, err)
	}
	if s := d.WithDefaults().RewriteSubject; s != "[SPAM] " {
		t.Errorf("rewrite_subject %q", s)
	}
	for _, tt := range []struct {
		d    MailDoor
		size int
		key  string
	}{
		{MailDoor{}, 0, "name"},
		{MailDoor{Door: d.Door, Relays: []string{"mail.example"}}, 0, "relays"},
		{MailDoor{Door: d.Door, RewriteSubject: "a\r\nBcc: b"}, 0, "rewrite_subject"},
		{MailDoor{Door: d.Door}, 64<<10 - 1, "max_size"},
		{MailDoor{Door: d.Door}, -1, "max_size"},
	} {
		if _, err := tt.d.Check("gateway.x[0]", tt.size); err == nil || !strings.Contains(err.Error(), "gateway.x[0]."+tt.key) {
			t.Errorf("%+v, %d: %v does not name %s", tt.d, tt.size, err, tt.key)
		}
	}
}
