package gateway

import (
	"net/netip"
	"testing"
)

func TestTeachers(t *testing.T) {
	for _, tt := range []struct {
		list   []string
		client string
		want   string
	}{
		{nil, "127.0.0.1", ""},
		{nil, "", ""},
		{[]string{"192.0.2.0/24"}, "192.0.2.7", "192.0.2.7"},
		{[]string{"192.0.2.0/24"}, "198.51.100.7", ""},
		{[]string{"0.0.0.0/0", "::/0"}, "", ""},
		{[]string{"192.0.2.7", "unix"}, "", "unix"},
		{[]string{"unix"}, "127.0.0.1", ""},
	} {
		teachers, err := ParseTeachers(tt.list)
		if err != nil {
			t.Fatal(err)
		}
		var client netip.Addr
		if tt.client != "" {
			client = netip.MustParseAddr(tt.client)
		}
		if got := teachers.Name(client); got != tt.want || teachers.None() != (tt.list == nil) {
			t.Errorf("%v: %q is %q, want %q", tt.list, tt.client, got, tt.want)
		}
	}
	if _, err := ParseTeachers([]string{"localhost"}); err == nil {
		t.Error("a name was taken")
	}
}
