package policy

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"rempart/message"
)

func TestUnite(t *testing.T) {
	const (
		accept, tag, hold, remove = message.Accept, message.Tag, message.Hold, message.Remove
		tempfail, reject, discard = message.Tempfail, message.Reject, message.Discard
	)
	for _, tt := range []struct {
		name string
		want []message.Action
		got  []message.Action
	}{
		{"all the same", []message.Action{reject, reject}, []message.Action{reject, reject}},
		{"all refuse: as the mildest", []message.Action{reject, tempfail, discard}, []message.Action{tempfail, tempfail, tempfail}},
		{"a tie: the milder", []message.Action{accept, reject}, []message.Action{accept, accept}},
		{"refusals become hold", []message.Action{accept, reject, reject}, []message.Action{hold, hold, hold}},
		{"greylisting holds nothing", []message.Action{accept, message.Greylist, message.Greylist}, []message.Action{accept, accept, accept}},
		{"all greylist", []message.Action{message.Greylist, reject}, []message.Action{message.Greylist, message.Greylist}},
		{"majority", []message.Action{accept, tag, tag}, []message.Action{tag, tag, tag}},
		{"removed does not count", []message.Action{remove, tag, tag, accept}, []message.Action{remove, tag, tag, tag}},
		{"only removed", []message.Action{remove, remove}, []message.Action{remove, remove}},
	} {
		d := make([]message.Decision, len(tt.want))
		for i, a := range tt.want {
			d[i].Action = a
		}
		unite(d)
		for i, a := range tt.got {
			if d[i].Action != a {
				t.Errorf("%s: recipient %d gets %s, want %s", tt.name, i, d[i].Action, a)
			}
			if changed := d[i].Action != tt.want[i]; changed != (d[i].Rule == RuleMajority) {
				t.Errorf("%s: recipient %d by rule %q", tt.name, i, d[i].Rule)
			}
		}
	}
}

func TestUniteLeavesShadowAlone(t *testing.T) {
	d := []message.Decision{{Action: message.Reject, Mode: message.ModeShadow}, {Action: message.Reject}}
	unite(d)
	if d[0].Action != message.Reject || d[0].United || d[1].Action != message.Accept {
		t.Errorf("%+v", d)
	}
}

// An event of united decisions remakes them, and a refusal means that all refused.
func TestUniteIsRemade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRules(t)
		m := mail("a@example.net", "b@example.org", "c@example.net")
		m.OneAnswer = true
		var j message.Judgement
		for range 3 {
			j.Verdicts = append(j.Verdicts, verdict(rapid.Float64Range(0, 1).Draw(t, "p"), rapid.Bool().Draw(t, "source")))
		}
		d := Decide(j, m, r)
		if again := Remake(message.NewEvent(m, j, d)); !reflect.DeepEqual(again, d) {
			t.Fatalf("%+v became %+v", d, again)
		}
		m.OneAnswer = false
		for i, alone := range Decide(j, m, r) {
			if refuses(d[0].Action) && !refuses(alone.Action) {
				t.Fatalf("refused, but recipient %d wanted %s", i, alone.Action)
			}
		}
	})
}
