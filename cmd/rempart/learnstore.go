package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"rempart/corpus/maildir"
	"rempart/durable"
	"rempart/message"
	"rempart/node"
	"rempart/policy"
)

// storeLearner is a running node, or one opened for the purpose.
type storeLearner interface {
	JudgeStored(context.Context, []node.StoredMail, message.Scope) ([]float64, error)
	LearnStored(context.Context, []node.StoredMail, message.Scope) ([]float64, error)
}

var errBrokenOff = errors.New("broken off")

// teachStore teaches from a mail store.
func (c *learnCmd) teachStore(ctx context.Context, e *env, to storeLearner) error {
	root, err := os.OpenRoot(c.FromMaildir)
	if err != nil {
		return err
	}
	defer root.Close()
	found, err := maildir.List(root, c.Junk, e.now())
	if err != nil {
		return fmt.Errorf("%s: %w", c.FromMaildir, err)
	}
	if err := printFolders(e.stdout, found); err != nil {
		return err
	}
	scope := message.Scope{Tenant: c.Tenant, Domain: c.Domain, User: c.User}
	memory, err := memoryOf(c.Data, c.FromMaildir, scope)
	if err != nil {
		return err
	}
	bar := newProgress(e, c.FromMaildir)
	session := maildir.Session{Root: root, Memory: memory, Progress: bar.set,
		Judge: func(ctx context.Context, batch []maildir.Mail) ([]float64, error) {
			return to.JudgeStored(ctx, stored(batch), scope)
		},
		Learn: func(ctx context.Context, batch []maildir.Mail) ([]float64, error) {
			return to.LearnStored(ctx, stored(batch), scope)
		}}
	report, err := session.Run(ctx, found.Entries, policy.DefaultTag)
	bar.end()
	if errors.Is(err, context.Canceled) {
		err = fmt.Errorf("%w after %d mails", errBrokenOff, report.Spam+report.Ham)
	}
	if err != nil {
		return err
	}
	return printReport(e.stdout, report)
}

func stored(batch []maildir.Mail) []node.StoredMail {
	mails := make([]node.StoredMail, len(batch))
	for i, m := range batch {
		mails[i] = node.StoredMail{Label: m.Label, Raw: m.Raw}
	}
	return mails
}

// memoryOf is the file below the data directory that says what was taught of this store for this scope.
func memoryOf(data, store string, scope message.Scope) (string, error) {
	dir := filepath.Join(data, "maildir")
	if err := durable.MakeDir(dir); err != nil {
		return "", err
	}
	h := sha256.Sum256([]byte(store + "\x00" + scope.Tenant + "\x00" + scope.Domain + "\x00" + scope.User))
	return filepath.Join(dir, hex.EncodeToString(h[:16])), nil
}

func printFolders(w io.Writer, found maildir.Listing) error {
	_, err := fmt.Fprintf(w, "%9s %9s %9s  folder\n", "spam", "honest", "unsure")
	for _, f := range found.Folders {
		if err == nil {
			_, err = fmt.Fprintf(w, "%9d %9d %9d  %s\n", f.Spam, f.Ham, f.Unsure, f.Name)
		}
	}
	if err == nil && found.Full {
		_, err = fmt.Fprintf(w, "there is more than %d mails, or deeper: the rest was not looked at\n", maildir.MaxMails)
	}
	return err
}

func printReport(w io.Writer, r maildir.Report) error {
	_, err := fmt.Fprintf(w, "%d spam and %d honest mails taught; %d were known, %d too many of one kind, %d could not be read\n",
		r.Spam, r.Ham, r.Known, r.Left, r.Broken)
	for _, named := range r.Named {
		if err == nil {
			_, err = fmt.Fprintf(w, "  %s\n", named)
		}
	}
	if err != nil || r.After.Spam+r.After.Ham == 0 {
		return err
	}
	_, err = fmt.Fprintf(w, "the last tenth, %d mails, judged before they were taught (spam from probability %g on):\n%12s %9s %9s\n",
		r.After.Spam+r.After.Ham, policy.DefaultTag, "", "before", "now")
	for _, row := range []struct {
		name string
		of   func(maildir.Tally) (part, whole int)
	}{
		{"right", func(t maildir.Tally) (int, int) { return t.Spam + t.Ham - t.Missed - t.Hit, t.Spam + t.Ham }},
		{"spam missed", func(t maildir.Tally) (int, int) { return t.Missed, t.Spam }},
		{"honest hit", func(t maildir.Tally) (int, int) { return t.Hit, t.Ham }},
	} {
		if err == nil {
			_, err = fmt.Fprintf(w, "%12s %7.2f %% %7.2f %%\n", row.name, percent(row.of(r.Before)), percent(row.of(r.After)))
		}
	}
	return err
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
