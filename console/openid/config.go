package openid

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
)

// Config is table [console.oidc].
type Config struct {
	// Issuer is the provider's address, as its discovery document has it: "https://id.example.net/realms/main". Over TLS, but on
	// loopback. Default: none, nobody signs in by OpenID Connect.
	Issuer string `toml:"issuer"`

	// ClientID is what the provider calls this console. Register it as a web application with the redirect addresses
	// URL/mine/oidc/callback, with the url of [quarantine], for recipients, and URL/login/oidc/callback, with that of [console], for
	// accounts.
	ClientID string `toml:"client_id"`

	// ClientSecretFile is the file with the client's secret on its first line. It is read at each sign-in. Default: none, for a
	// provider that knows the console as a public client (PKCE is always used).
	ClientSecretFile string `toml:"client_secret_file"`

	// MailboxClaim is the claim that names whose mailbox a recipient may see. "email" counts only if the provider says that it is
	// verified; take another, as "preferred_username" of Entra ID, only if people cannot choose it themselves. Default: email.
	MailboxClaim string `toml:"mailbox_claim"`

	// AccountClaim is the claim that names the account of the console somebody logs in to: one that an administrator made, under
	// exactly that name. "email" counts only if it is verified; take another only if people cannot choose it themselves: whoever
	// calls themselves as an administrator is one. "sub", by which the provider knows them, nobody chooses. Default: none, accounts
	// log in by password alone.
	AccountClaim string `toml:"account_claim"`
}

// On reports whether there is a provider.
func (c *Config) On() bool { return c.Issuer != "" }

// Check names every key that is wrong.
func (c *Config) Check() error {
	if !c.On() {
		if *c != (Config{}) {
			return errors.New("console.oidc.issuer: set it, too")
		}
		return nil
	}
	var errs []error
	if u, err := url.Parse(c.Issuer); err != nil || u.RawQuery != "" || u.Fragment != "" || safe(u) != nil {
		errs = append(errs, fmt.Errorf("console.oidc.issuer = %q: write https://host/path", c.Issuer))
	}
	if c.ClientID == "" {
		errs = append(errs, errors.New("console.oidc.client_id: set it, too"))
	}
	if _, err := c.secret(); err != nil {
		errs = append(errs, fmt.Errorf("console.oidc.client_secret_file: %w", err))
	}
	return errors.Join(errs...)
}

// safe refuses what is neither TLS nor this machine.
func safe(u *url.URL) error {
	host := u.Hostname()
	ip := net.ParseIP(host)
	local := host == "localhost" || ip != nil && ip.IsLoopback()
	if host == "" || u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return fmt.Errorf("%s is not https", u.Redacted())
	}
	return nil
}

// secret is the client's; empty if it has none.
func (c *Config) secret() (string, error) {
	if c.ClientSecretFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(c.ClientSecretFile)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimSpace(line); line == "" {
		return "", fmt.Errorf("%s: no secret on its first line", c.ClientSecretFile)
	}
	return line, nil
}

func (c Config) withDefaults() Config {
	if c.MailboxClaim == "" {
		c.MailboxClaim = claimEmail
	}
	return c
}
