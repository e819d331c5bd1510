// Package mailbox tells whose mailbox a recipient's address leads to, so that a user's settings and corrections count for all
// addresses of theirs.
//
// [Tables.Map] fills [message.Recipient] from tables as Postfix has them: virtual alias tables (virtual(5)) in a text file, behind
// Postfix's socketmap protocol or its tcp_table protocol. An address is looked up as Postfix does: whole, without its extension,
// and as "@domain". What comes back is looked up again, up to a bound, so that chains and loops end. An address for several
// mailboxes is nobody's in particular: it keeps its own name and domain. What no table answers in time stays as it is, and the
// domain's settings count: no mail waits for a table that is down. A Tables is safe for concurrent use.
package mailbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rempart/message"
)

// Config is table [mailbox].
type Config struct {
	// Tables tell which mailbox an address leads to, as virtual_alias_maps of Postfix do; the first that has an address counts:
	// "texthash:/etc/postfix/virtual" (the text from which postmap makes other files), "socketmap:unix:/path/of/socket:name",
	// "socketmap:inet:host:port:name", "tcp:host:port". Behind the last three may stand LDAP or SQL. A server that does not
	// answer within half a second is asked again after ten seconds; until then the settings of the address's domain count. Its
	// answers hold for a minute. Default: none, an address is its own mailbox.
	Tables []string `toml:"tables"`

	// Delimiter is the letters that separate a mailbox's name from an extension, as recipient_delimiter of Postfix: with "+",
	// ann+shop@example.org is ann@example.org. A letter that names have too makes one person of two: with "-" ann-marie@ is ann@, with
	// her settings and her mail in quarantine, unless tables have an entry for ann-marie@, to itself. Default: none.
	Delimiter string `toml:"delimiter"`
}

// mapTime bounds what one message waits for tables.
const mapTime = 500 * time.Millisecond

// table answers for one key. ok is false if there is no entry; an error says nothing of the key.
type table interface {
	lookup(ctx context.Context, key string) (value string, ok bool, err error)
	// down is why the table is not asked for now; empty if it is.
	down() string
}

// Tables is what a configuration names.
type Tables struct {
	names     []string
	tables    []table
	delimiter string
}

// Resolve makes paths relative to dir absolute.
func (c *Config) Resolve(dir string) {
	c.Tables = slices.Clone(c.Tables)
	for i, name := range c.Tables {
		if path, ok := strings.CutPrefix(name, filePrefix); ok && path != "" && !filepath.IsAbs(path) {
			c.Tables[i] = filePrefix + filepath.Join(dir, path)
		}
	}
}

// Files are the files that the tables are read from.
func (c Config) Files() (paths []string) {
	for _, name := range c.Tables {
		if path, ok := strings.CutPrefix(name, filePrefix); ok {
			paths = append(paths, path)
		}
	}
	return paths
}

// New reads the files and prepares the rest; nothing is asked yet. Errors name the key.
func New(c Config, log *slog.Logger) (*Tables, error) {
	t := &Tables{names: c.Tables, delimiter: c.Delimiter}
	var errs []error
	for i, name := range c.Tables {
		one, err := open(name, log)
		if err != nil {
			errs = append(errs, fmt.Errorf("mailbox.tables[%d] = %q: %w", i, name, err))
		}
		t.tables = append(t.tables, one)
	}
	if strings.ContainsAny(c.Delimiter, "@ \t\r\n\"") {
		errs = append(errs, fmt.Errorf("mailbox.delimiter = %q: use letters like +", c.Delimiter))
	}
	return t, errors.Join(errs...)
}

var errKind = errors.New(`use "texthash:/path", "socketmap:unix:/path:name", "socketmap:inet:host:port:name" or "tcp:host:port"`)

func open(name string, log *slog.Logger) (table, error) {
	kind, rest, _ := strings.Cut(name, ":")
	switch kind {
	case "texthash":
		return readFile(rest)
	case "socketmap":
		network, rest, _ := strings.Cut(rest, ":")
		at := strings.LastIndexByte(rest, ':')
		if at < 1 || at == len(rest)-1 || strings.ContainsAny(rest[at:], " \r\n") {
			return nil, errKind
		}
		s := &server{address: rest[:at], ask: socketmap(rest[at+1:]), name: name, log: log}
		switch network {
		case "unix":
			s.network = "unix"
		case "inet":
			s.network = "tcp"
			if !hostPort(s.address) {
				return nil, errKind
			}
		default:
			return nil, errKind
		}
		return s.ready(), nil
	case "tcp":
		if !hostPort(rest) {
			return nil, errKind
		}
		return (&server{network: "tcp", address: rest, ask: tcpTable, name: name, log: log}).ready(), nil
	}
	return nil, errKind
}

// Close closes idle connections.
func (t *Tables) Close() {
	for _, one := range t.tables {
		if s, ok := one.(*server); ok {
			s.close()
		}
	}
}

// Down names the tables that do not answer.
func (t *Tables) Down() (names []string) {
	for i, one := range t.tables {
		if one.down() != "" {
			names = append(names, t.names[i])
		}
	}
	return names
}

// Map fills user and domain of the recipients of a mail that comes in or stays inside. A recipient for whom the front door named a
// user already keeps it.
func (t *Tables) Map(ctx context.Context, m *message.Message) {
	if m.Channel != message.Email || m.Direction == message.Out || len(t.tables) == 0 && t.delimiter == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, mapTime)
	defer cancel()
	for i := range m.Recipients {
		r := &m.Recipients[i]
		if r.User != "" {
			continue
		}
		if box, _, err := t.mailbox(ctx, r.Address); err == nil {
			r.User = box
			if _, domain, ok := strings.Cut(box, "@"); ok {
				r.Domain = domain
			}
		}
	}
}
