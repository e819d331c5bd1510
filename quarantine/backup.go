package quarantine

import (
	"context"
	"fmt"
	"io"
)

// Backup writes a consistent copy of quarantine.db to a new file, while mail comes in.
func (s *Store) Backup(ctx context.Context, file string) error {
	if _, err := s.db.ExecContext(ctx, "VACUUM INTO ?", file); err != nil {
		return fmt.Errorf("back up quarantine: %w", err)
	}
	return nil
}

// BackupBodies writes the bodies, sealed, as [blob.Store.Export] does. After [Store.Backup] it has those of all copies there, but of what
// is deleted meanwhile.
func (s *Store) BackupBodies(ctx context.Context, w io.Writer) error { return s.bodies.Export(ctx, w) }
