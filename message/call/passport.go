package call

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"rempart/message"
	"rempart/message/sip"
)

// claims are the parts of a PASSporT that are read (RFC 8225 sections 4 and 5, RFC 8588).
type claims struct {
	Attest string `json:"attest"`
	Dest   struct {
		TN  []string `json:"tn"`
		URI []string `json:"uri"`
	} `json:"dest"`
	IssuedAt float64 `json:"iat"`
	Orig     struct {
		TN  string `json:"tn"`
		URI string `json:"uri"`
	} `json:"orig"`
	OrigID string `json:"origid"`
}

// ReadIdentity decodes the value of an Identity field (RFC 8224 section 4): a PASSporT in full form, or in compact form,
// of which only the parameters can be read, since the rest has to be made from the message. Nothing is verified. ok is
// false if it is no PASSporT; what could be read stands in p all the same.
func ReadIdentity(v string) (p message.PASSporT, ok bool) {
	token, params, _ := strings.Cut(v, ";")
	token = strings.TrimSpace(token)
	info, _ := sip.Param(params, "info")
	p.Certificate = text(info, maxCertificate)
	head, rest, two := strings.Cut(token, ".")
	body, signature, three := strings.Cut(rest, ".")
	if !two || !three || signature == "" || len(token) > maxToken || (head == "") != (body == "") {
		return p, false
	}
	if head == "" {
		return p, true
	}
	var h struct {
		X5U string `json:"x5u"`
	}
	var c claims
	if !decode(head, &h) || !decode(body, &c) {
		return p, false
	}
	if h.X5U != "" {
		p.Certificate = text(h.X5U, maxCertificate)
	}
	if c.Attest == "A" || c.Attest == "B" || c.Attest == "C" {
		p.Attestation = c.Attest
	}
	p.Orig, p.OrigID = c.Orig.TN, text(c.OrigID, maxMessageID)
	if p.Orig == "" {
		p.Orig = c.Orig.URI
	}
	p.Orig = text(p.Orig, maxMessageID)
	for _, d := range append(c.Dest.TN, c.Dest.URI...) {
		if len(p.Dest) == maxDest {
			break
		}
		p.Dest = append(p.Dest, text(d, maxMessageID))
	}
	if c.IssuedAt > 0 && c.IssuedAt < 1<<40 {
		p.IssuedAt = time.Unix(int64(c.IssuedAt), 0).UTC()
	}
	return p, true
}

func decode(part string, v any) bool {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	return err == nil && json.Unmarshal(b, v) == nil
}
