package quarantine

import (
	"context"
	"encoding/base32"
	"strings"

	"rempart/keyring"
)

// LinkPath is where the page is, below the configured url, that a link of a digest opens.
const LinkPath = "/quarantine/of/"

// linkUse ties a link to its use: nothing else that is sealed with the same key is one.
const linkUse = "link of a quarantined copy"

// linkText writes what is sealed in letters and digits alone: programs that make links of plain text leave a "_" at the end out.
var linkText = base32.StdEncoding.WithPadding(base32.NoPadding)

// Link is the secret of one copy: who has it may look at what it is about and release it. It is the sealed name of the copy, so that
// nobody makes one up, and it is good as long as the copy is kept.
func (s *Store) Link(c *Copy) (string, error) {
	sealed, err := s.keys.Seal(keyring.Scope{Tenant: c.Tenant}, []byte(c.ID+"\n"+c.Recipient), []byte(linkUse))
	return linkText.EncodeToString(sealed), err
}

// Linked is the copy that a link is about; [ErrNotFound] of one that is not ours or whose copy is gone.
func (s *Store) Linked(ctx context.Context, link string) (Copy, error) {
	sealed, err := linkText.DecodeString(link)
	if err != nil {
		return Copy{}, ErrNotFound
	}
	name, err := s.keys.Open(sealed, []byte(linkUse))
	if err != nil {
		return Copy{}, ErrNotFound // forged, or its key was destroyed
	}
	id, recipient, _ := strings.Cut(string(name), "\n")
	return s.Get(ctx, id, recipient)
}
