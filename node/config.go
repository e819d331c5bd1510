// Package node is one running Rempart: it wires the packages together after one configuration file and runs them until it
// is told to stop.
//
// [Open] opens the state (keys, journal, index) and applies what was taught; [Node.Run] serves the front doors and the
// console and keeps the state; [Node.Judge] is the way of one message, [Node.Learn] the way of one lesson. What a cluster
// agrees on goes through the journal: every node applies it in the same order.
package node

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"rempart/abuse"
	"rempart/config"
	"rempart/console/openid"
	"rempart/dns"
	"rempart/filter/auth"
	"rempart/filter/behaviour"
	"rempart/filter/clamav"
	"rempart/filter/guise"
	"rempart/gateway"
	"rempart/gateway/api"
	"rempart/gateway/milter"
	"rempart/gateway/rspamd"
	"rempart/gateway/sip"
	"rempart/gateway/smpp"
	"rempart/gateway/smtp"
	"rempart/gateway/spamd"
	"rempart/geo"
	"rempart/index"
	"rempart/journal"
	"rempart/mailbox"
	"rempart/policy"
	"rempart/quarantine"
	"rempart/sign"
)

// Config is the whole file. Its zero value runs: data in ./data, console on loopback, no front door.
type Config struct {
	Version string `toml:"-"` // of the program, for the console

	// Data is the directory of journal, index, blobs and keys; it is made with mode 0700. Default: data.
	Data string `toml:"data"`

	// Name of this node in tallies and events; unlike for every node of a cluster. Default: the host's name.
	Name string `toml:"name"`

	// Console is where people look and teach.
	Console ConsoleConfig `toml:"console"`

	// Journal is the log of what nodes agree on.
	Journal journal.Config `toml:"journal"`

	// DNS is the resolver and the lists asked over it.
	DNS DNSConfig `toml:"dns"`

	// Auth is whom to believe about mail that comes by way of others.
	Auth auth.Config `toml:"auth"`

	// ClamAV is the virus scanner that mail is shown to.
	ClamAV clamav.Config `toml:"clamav"`

	// Quarantine is where mail is kept whose action is quarantine.
	Quarantine quarantine.Config `toml:"quarantine"`

	// Feedback is what other receivers report to you, complaints, DMARC and TLS reports, and what you report to others.
	Feedback abuse.Config `toml:"feedback"`

	// Executives are people of your own in whose name others may be asked for money or secrets. Mail that shows such a name and
	// comes from another address is suspect. People whose mail goes out by this node are known without it; list those whose
	// mail does not, and those whom it pays most to pretend to be.
	Executives []guise.Executives `toml:"executives"`

	// Geo places addresses and numbers.
	Geo geo.Config `toml:"geo"`

	// Calls is what the operator knows of numbers.
	Calls behaviour.Config `toml:"calls"`

	// Mailbox is how recipients' addresses lead to mailboxes, whose users' settings and corrections count.
	Mailbox mailbox.Config `toml:"mailbox"`

	// Policy decides what is done with a judged message.
	Policy policy.Config `toml:"policy"`

	// Sign is how mail is signed that goes out or on.
	Sign sign.Config `toml:"sign"`

	// Log is what is written of each message.
	Log LogConfig `toml:"log"`

	// Index is the searchable record of judged messages.
	Index index.Config `toml:"index"`

	// Keep is what is kept of a message beside the figures.
	Keep KeepConfig `toml:"keep"`

	// Gateway holds the front doors: one exists if it is named.
	Gateway GatewayConfig `toml:"gateway"`
}

// ConsoleConfig is table [console].
type ConsoleConfig struct {
	// Listen is where the console answers, HTTP. Put it behind the TLS of your web server before you open it beyond
	// loopback. Empty list: no console. Default: 127.0.0.1:8052.
	Listen []string `toml:"listen"`

	// URL is the console's address as operators reach it, say through your web server: "https://rempart.example.net". An OpenID
	// provider leads back there. Default: none.
	URL string `toml:"url"`

	// OIDC is the OpenID provider with which people sign in: recipients to see their mail in quarantine, accounts of the console.
	OIDC openid.Config `toml:"oidc"`
}

func (c *ConsoleConfig) check(quarantineURL string) error {
	errs := []error{c.OIDC.Check()}
	if c.URL != "" && !quarantine.IsRoot(c.URL) {
		errs = append(errs, fmt.Errorf("console.url = %q: write https://host, without a path", c.URL))
	}
	if c.OIDC.AccountClaim != "" && c.URL == "" {
		errs = append(errs, errors.New("console.oidc.account_claim: set console.url too, to which the provider leads back"))
	}
	if c.OIDC.On() && c.OIDC.AccountClaim == "" && quarantineURL == "" {
		errs = append(errs, errors.New("console.oidc.issuer: set quarantine.url for recipients, or account_claim and console.url for accounts: else nobody signs in"))
	}
	return errors.Join(errs...)
}

// DNSConfig is table [dns].
type DNSConfig struct {
	dns.Config

	// Off asks nothing over DNS: no SPF, DKIM, DMARC, reverse names or lists. Default: false.
	Off bool `toml:"off"`

	// List holds the DNS lists to ask, tables [[dns.list]]. Default: none, since most lists want an agreement.
	List []auth.List `toml:"list"`
}

// LogConfig is table [log].
type LogConfig struct {
	// Messages writes one line a message. Default: true.
	Messages *bool `toml:"messages"`

	// Mask writes addresses and numbers as their first letter and their domain or length. Default: false.
	Mask bool `toml:"mask"`
}

// KeepConfig is table [keep].
type KeepConfig struct {
	// Subjects keeps the subject of mails in events, so that they can be searched. It is personal data. Default: false.
	Subjects bool `toml:"subjects"`
}

// GatewayConfig is the front doors by kind.
type GatewayConfig struct {
	// Milter front doors, for Postfix and Sendmail.
	Milter []milter.Config `toml:"milter"`

	// SMTP front doors, between mail servers, by SMTP or LMTP.
	SMTP []smtp.Config `toml:"smtp"`

	// Rspamd front doors, for what speaks rspamd's HTTP protocol.
	Rspamd []rspamd.Config `toml:"rspamd"`

	// Spamd front doors, for what speaks the protocol of SpamAssassin's spamd.
	Spamd []spamd.Config `toml:"spamd"`

	// SMPP front doors, before a message centre.
	SMPP []smpp.Config `toml:"smpp"`

	// SIP front doors, for calls and instant messages.
	SIP []sip.Config `toml:"sip"`

	// API front doors, JSON over HTTP.
	API []api.Config `toml:"api"`
}

// Load reads and checks a file. Relative paths in it are taken from the file's directory.
func Load(path string) (Config, error) {
	var c Config
	b, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	if err := config.Parse(path, b, &c); err != nil {
		return c, err
	}
	c = c.withDefaults()
	dir := filepath.Dir(path)
	paths := []*string{&c.Data, &c.Geo.Country, &c.Geo.Network, &c.Geo.Numbers, &c.Calls.NeverOriginateFile, &c.Policy.ScopesFile,
		&c.Sign.Path, &c.Sign.SelectorMap, &c.Sign.PathMap, &c.Quarantine.PasswordFile, &c.Feedback.PasswordFile,
		&c.Console.OIDC.ClientSecretFile}
	for i := range c.Sign.Key {
		paths = append(paths, &c.Sign.Key[i].File)
	}
	for i := range c.Gateway.SMTP {
		paths = append(paths, &c.Gateway.SMTP[i].Certificate, &c.Gateway.SMTP[i].Key)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	c.Mailbox.Resolve(dir)
	return c, config.Locate(path, b, c.Check())
}

// Files are the files that the configuration names and that are taken over when they change.
func (c Config) Files() []string {
	files := c.Mailbox.Files()
	if c.Policy.ScopesFile != "" {
		files = append(files, c.Policy.ScopesFile)
	}
	return files
}

func (c Config) withDefaults() Config {
	if c.Data == "" {
		c.Data = "data"
	}
	if c.Name == "" {
		c.Name, _ = os.Hostname()
		if c.Name == "" {
			c.Name = "node"
		}
	}
	c.Console.URL = strings.TrimSuffix(c.Console.URL, "/")
	if c.Console.Listen == nil {
		c.Console.Listen = []string{"127.0.0.1:8052"}
	}
	if c.Log.Messages == nil {
		yes := true
		c.Log.Messages = &yes
	}
	return c
}

// Check names every key that is wrong.
func (c Config) Check() error {
	errs := []error{c.Console.check(c.Quarantine.URL), c.Journal.Check(), c.ClamAV.Check(), c.Quarantine.Check(), c.Feedback.Check(), c.Sign.Check(), c.checkReports()}
	if c.DNS.Off && c.Sign.ARCDomain != "" {
		errs = append(errs, fmt.Errorf("sign.arc_domain = %q: a seal tells what DNS says of a mail, and [dns] off = true", c.Sign.ARCDomain))
	}
	_, err := policy.New(c.Policy)
	errs = append(errs, err)
	_, err = mailbox.New(c.Mailbox, slog.New(slog.DiscardHandler))
	errs = append(errs, err)
	_, err = guise.NewRoll(c.Executives)
	errs = append(errs, err)
	for i, g := range c.Gateway.Milter {
		errs = append(errs, g.Check(fmt.Sprintf("gateway.milter[%d]", i)))
	}
	for i, g := range c.Gateway.SMTP {
		errs = append(errs, g.Check(fmt.Sprintf("gateway.smtp[%d]", i)))
	}
	for i, g := range c.Gateway.Rspamd {
		errs = append(errs, g.Check(fmt.Sprintf("gateway.rspamd[%d]", i)))
	}
	for i, g := range c.Gateway.Spamd {
		errs = append(errs, g.Check(fmt.Sprintf("gateway.spamd[%d]", i)))
	}
	for i, g := range c.Gateway.SMPP {
		errs = append(errs, g.Check(fmt.Sprintf("gateway.smpp[%d]", i)))
	}
	for i, g := range c.Gateway.SIP {
		errs = append(errs, g.Check(fmt.Sprintf("gateway.sip[%d]", i)))
	}
	for i, g := range c.Gateway.API {
		errs = append(errs, g.Check(fmt.Sprintf("gateway.api[%d]", i)))
	}
	seen := map[string]bool{}
	for _, d := range c.Gateway.doors() {
		if seen[d.Name] {
			errs = append(errs, fmt.Errorf("gateway: two front doors are named %q: logs and tallies could not tell them apart", d.Name))
		}
		seen[d.Name] = true
		if d.Incumbent != "" && !d.mail {
			errs = append(errs, fmt.Errorf("%s.incumbent = %q: only in the header of a mail can another filter have written", d.key, d.Incumbent))
		}
	}
	if !c.DNS.Off {
		_, err := auth.New(nil, c.DNS.List, c.Auth)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (c Config) doorNames() (names []string) {
	for _, d := range c.Gateway.doors() {
		names = append(names, d.Name)
	}
	return names
}

// keyed is the common settings of a front door and its key in the file.
type keyed struct {
	gateway.Door
	key  string
	mail bool // mails come through it as they are
}

// doors are the front doors of all kinds, in the order they are opened.
func (g GatewayConfig) doors() (doors []keyed) {
	for i, c := range g.Milter {
		doors = append(doors, keyed{c.Door, fmt.Sprintf("gateway.milter[%d]", i), true})
	}
	for i, c := range g.SMTP {
		doors = append(doors, keyed{c.Door, fmt.Sprintf("gateway.smtp[%d]", i), true})
	}
	for i, c := range g.Rspamd {
		doors = append(doors, keyed{c.Door, fmt.Sprintf("gateway.rspamd[%d]", i), true})
	}
	for i, c := range g.Spamd {
		doors = append(doors, keyed{c.Door, fmt.Sprintf("gateway.spamd[%d]", i), true})
	}
	for i, c := range g.SMPP {
		doors = append(doors, keyed{c.Door, fmt.Sprintf("gateway.smpp[%d]", i), false})
	}
	for i, c := range g.SIP {
		doors = append(doors, keyed{c.Door, fmt.Sprintf("gateway.sip[%d]", i), false})
	}
	for i, c := range g.API {
		doors = append(doors, keyed{c.Door, fmt.Sprintf("gateway.api[%d]", i), false})
	}
	return doors
}
