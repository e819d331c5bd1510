package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"rempart/account"
	"rempart/message"
	"rempart/quarantine"
)

// copyPage is what the recipient of a mail in quarantine sees who followed the link of a digest.
type copyPage struct {
	Copy    quarantine.Copy
	State   string
	From    string
	Subject string
	Reasons []string
	Path    string
}

// maxReasons are what a recipient is told; the console has all.
const maxReasons = 5

// copyPage changes nothing: programs that look at links before people do only see a button.
func (c *Console) copyPage(w http.ResponseWriter, r *http.Request) error {
	k, err := c.Quarantine.Linked(r.Context(), r.PathValue("link"))
	if err != nil {
		return err
	}
	page := copyPage{Copy: k, State: stateOf(&k), Path: r.URL.Path}
	if page.From, page.Subject, err = c.aboutOf(r, k.ID); err != nil {
		return err
	}
	if page.Reasons, err = c.reasonsOf(r, &k); err != nil {
		return err
	}
	return c.render(w, r, "copy", page)
}

// reasonsFor are the strongest signals that speak against a message, for one recipient, as sentences.
func (c *Console) reasonsFor(e *message.Event, recipient string) (out []string) {
	for _, o := range e.Outcomes {
		if o.Recipient != recipient {
			continue
		}
		parts := slices.Clone(e.Verdicts[o.Verdict].Contributions)
		slices.SortStableFunc(parts, func(a, b message.Contribution) int { return int(b.Weight() - a.Weight()) })
		for _, p := range parts[:min(len(parts), maxReasons)] {
			if p.Weight() > 0 {
				out = append(out, c.words.Explain(p))
			}
		}
	}
	return out
}

// releaseCopy delivers the mail to the recipient who has the link.
func (c *Console) releaseCopy(w http.ResponseWriter, r *http.Request) error {
	k, err := c.Quarantine.Linked(r.Context(), r.PathValue("link"))
	if err != nil {
		return err
	}
	if err := c.releaseOwn(r, &k); err != nil {
		return err
	}
	http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
	return nil
}

// errWaitsOn is quarantine.ErrNotDelivered for a recipient, who can look into no log and no configuration.
var errWaitsOn = errors.New("the next hop did not take what its recipient released")

// releaseOwn delivers a copy in its recipient's name. Twice is once.
func (c *Console) releaseOwn(r *http.Request, k *quarantine.Copy) error {
	err := c.Release(r.Context(), k.ID, k.Recipient, account.Actor{Name: recipientName, Address: clientAddress(r)}, false)
	switch {
	case errors.Is(err, quarantine.ErrReleased):
		return nil
	case errors.Is(err, quarantine.ErrNotDelivered):
		return fmt.Errorf("%w: %w", errWaitsOn, err)
	}
	return err
}

// recipientName stands in the audit trail and as the teacher for who released their own mail.
const recipientName = "recipient"
