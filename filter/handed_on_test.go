package filter

import (
	"testing"

	"rempart/message"
	"rempart/message/email"
)

// Mail that others handed on fails DMARC without any fault of its author: that alone makes no mail spam, whatever the author's
// domain asks for.
func TestDMARCFailureAloneIsNoSpam(t *testing.T) {
	const raw = "Received: from mx.list.example (mx.list.example [192.0.2.1]) by mx.b.example with ESMTPS; Mon, 3 Aug 2026 10:00:00 +0000\r\n" +
		"From: Ann Lee <ann@a.example>\r\nTo: l@list.example\r\nSubject: notes of the meeting\r\nDate: Mon, 3 Aug 2026 10:00:00 +0000\r\n" +
		"Message-ID: <1@a.example>\r\n\r\nHere they are, as promised. See you on Friday.\r\n"
	f := New(Options{})
	judge := func(override string) *message.Verdict {
		m := email.ParseBytes([]byte(raw))
		m.Direction, m.Arrived = message.In, m.Date
		m.Facts.Auth = message.Authentication{SPF: "fail", SPFDomain: "a.example", DKIM: []message.DKIM{{Status: "fail", Domain: "a.example"}},
			DMARC: "fail", DMARCPolicy: "reject", DMARCOverride: override}
		return f.Judge(t.Context(), m, nil).Verdicts[0]
	}
	direct := judge("")
	for _, override := range []string{"mailing_list", "trusted_forwarder", "local_policy"} {
		v := judge(override)
		if v.Probability >= 0.9 || v.Score >= direct.Score {
			t.Errorf("%s: probability %.3f, score %v; %v without it", override, v.Probability, v.Score, direct.Score)
		}
	}
	m := email.ParseBytes([]byte(raw))
	m.Direction, m.Arrived = message.In, m.Date
	if unasked := f.Judge(t.Context(), m, nil).Verdicts[0]; direct.Score < unasked.Score+message.One {
		t.Errorf("a failure that nothing explains scores %v, and %v if nobody was asked", direct.Score, unasked.Score)
	}
}
