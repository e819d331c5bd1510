package quarantine

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// A mail that comes again while its copy waits is kept once; whatever may be another mail is kept.
func TestKeepAgain(t *testing.T) {
	first := Mail{ID: "m1", Tenant: "t", Door: "mx", MailFrom: "a@a.example", Recipients: []string{"ben@b.example"},
		Raw: []byte("Received: from a by b;\r\n\tat ten\r\n" + raw)}
	for name, tt := range map[string]struct {
		change func(r *rig, m *Mail)
		want   string
	}{
		"the same":                 {func(*rig, *Mail) {}, "m1 ben@b.example "},
		"four days later":          {func(r *rig, _ *Mail) { r.at = r.at.Add(4 * 24 * time.Hour) }, "m1 ben@b.example "},
		"received anew":            {func(_ *rig, m *Mail) { m.Raw = []byte("received: from a by b;\n at noon\nReceived: x\r\n" + raw) }, "m1 ben@b.example "},
		"for one more":             {func(_ *rig, m *Mail) { m.Recipients = append(m.Recipients, "carl@b.example") }, "m2 carl@b.example m1 ben@b.example "},
		"for another":              {func(_ *rig, m *Mail) { m.Recipients = []string{"carl@b.example"} }, "m2 carl@b.example m1 ben@b.example "},
		"from another":             {func(_ *rig, m *Mail) { m.MailFrom = "b@a.example" }, "m2 ben@b.example m1 ben@b.example "},
		"for another tenant":       {func(_ *rig, m *Mail) { m.Tenant = "u" }, "m2 ben@b.example m1 ben@b.example "},
		"through another door":     {func(_ *rig, m *Mail) { m.Door = "out" }, "m2 ben@b.example m1 ben@b.example "},
		"another text":             {func(_ *rig, m *Mail) { m.Raw = []byte(raw + "PS") }, "m2 ben@b.example m1 ben@b.example "},
		"received, further below":  {func(_ *rig, m *Mail) { m.Raw = []byte("X: y\r\nReceived: z\r\n" + raw) }, "m2 ben@b.example m1 ben@b.example "},
		"six days later":           {func(r *rig, _ *Mail) { r.at = r.at.Add(6 * 24 * time.Hour) }, "m2 ben@b.example m1 ben@b.example "},
		"after the first is gone":  {func(r *rig, _ *Mail) { _ = r.Delete(t.Context(), "m1", "ben@b.example") }, "m2 ben@b.example "},
		"after a release":          {func(r *rig, _ *Mail) { _, _ = r.Release(t.Context(), "m1", "ben@b.example", "who", true) }, "m2 ben@b.example m1 ben@b.example "},
		"after a restart":          {func(r *rig, _ *Mail) { r.Close(); r.open(t, "") }, "m1 ben@b.example "},
		"with the id of the first": {func(_ *rig, m *Mail) { m.ID = "m1" }, "m1 ben@b.example "},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, serve(t).Addr().String())
			c := *r.config.Load()
			c.Keep *= 7
			r.Reconfigure(c)
			r.keep(t, first)
			m := first
			m.ID = "m2"
			m.Recipients = append([]string(nil), first.Recipients...)
			tt.change(r, &m)
			r.keep(t, m)
			got := r.list(t, Query{})
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			for _, id := range []string{"m1", "m2"} {
				if b, err := r.Raw(t.Context(), id); (err == nil) != strings.Contains(got, id) {
					t.Errorf("body of %s: %q %v", id, b, err)
				}
			}
		})
	}
}

// Malware that is found only when the mail comes again keeps its recipient from releasing the copy.
func TestKeepAgainMalware(t *testing.T) {
	r := newRig(t, "")
	for i, malware := range []bool{false, true, false} {
		r.keep(t, Mail{ID: string(rune('a' + i)), Recipients: []string{"ben@b.example"}, Malware: malware, Raw: []byte(raw)})
		if c, err := r.Get(t.Context(), "a", "ben@b.example"); err != nil || c.Malware != (i > 0) {
			t.Errorf("after %d: %+v %v", i, c, err)
		}
	}
}

// Tries at the same time are kept once.
func TestKeepAtOnce(t *testing.T) {
	r := newRig(t, "")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			m := Mail{ID: string(rune('a' + i)), Time: r.at, Recipients: []string{"ben@b.example"}, Raw: []byte(raw)}
			if err := r.Keep(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	p, err := r.List(t.Context(), Query{})
	if err != nil || len(p.Copies) != 1 {
		t.Fatalf("%+v %v", p, err)
	}
	if b, err := r.Raw(t.Context(), p.Copies[0].ID); string(b) != raw || err != nil {
		t.Errorf("%q %v", b, err)
	}
}

// Whatever a mail begins with, only Received fields are left out, and the rest is its end.
func FuzzWithoutReceived(f *testing.F) {
	for _, s := range []string{"", "Received:", "Received: a\r\n\tb\r\nX: y\r\n", "received: a\n b\nReceived", raw} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rest := withoutReceived(b)
		if !strings.HasSuffix(string(b), string(rest)) || len(rest) >= 9 && strings.EqualFold(string(rest[:9]), "received:") {
			t.Fatalf("%q of %q", rest, b)
		}
	})
}
