package nexthop

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// Access is how a next hop is spoken to, part of each table that names one. Its zero value suits a mail server of your own at hand.
type Access struct {
	// TLS to the next hop, by STARTTLS (RFC 3207), in Postfix's words: "may", if it is offered, whoever answers; "encrypt", never
	// without; "verify", never without a certificate for the name in next_hop, signed by who your system trusts. With a next_hop_user
	// only verify will do, and encrypt to a next hop on this machine: else whoever answers would get the password. Default: may, and
	// verify if there is a next_hop_user.
	TLS string `toml:"next_hop_tls"`

	// User is with what name to log in at the next hop (SMTP AUTH, PLAIN), as a submission relay on port 587 wants it; over TLS only.
	// Default: none, nobody logs in.
	User string `toml:"next_hop_user"`

	// PasswordFile is the file with the user's password on its first line. It is read for each mail. Default: none.
	PasswordFile string `toml:"next_hop_password_file"`
}

// Levels of TLS.
const (
	levelMay     = "may"
	levelEncrypt = "encrypt"
	levelVerify  = "verify"
)

func (a *Access) level() string {
	switch {
	case a.TLS != "":
		return a.TLS
	case a.User != "":
		return levelVerify
	}
	return levelMay
}

// maxPassword bounds a password, in octets, and what is read of its file.
const maxPassword = 1024

func (a *Access) password() (string, error) {
	f, err := os.Open(a.PasswordFile)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPassword+int64(len("\r\n"))))
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" || len(line) > maxPassword {
		return "", fmt.Errorf("%s: no password on its first line", a.PasswordFile)
	}
	return line, nil
}

// Check names every key of the table that is wrong, beside the next hop's own.
func (a *Access) Check(table, nextHop string) error {
	var errs []error
	if l := a.level(); l != levelMay && l != levelEncrypt && l != levelVerify {
		errs = append(errs, fmt.Errorf("%s.next_hop_tls = %q: use may, encrypt or verify", table, a.TLS))
	}
	if network, _ := Endpoint(nextHop); network == "unix" && a.level() == levelVerify {
		errs = append(errs, fmt.Errorf("%s.next_hop_tls: a socket has no name that a certificate could be for", table))
	}
	if a.User != "" && (a.TLS == levelMay || a.TLS == levelEncrypt && !here(nextHop)) {
		errs = append(errs, fmt.Errorf("%s.next_hop_tls = %q: whoever answers would get the password; use verify, or encrypt to a next hop on this machine", table, a.TLS))
	}
	if a.User == "" && a.PasswordFile == "" {
		return errors.Join(errs...)
	}
	if a.User == "" || a.PasswordFile == "" {
		errs = append(errs, fmt.Errorf("%s.next_hop_user: set it together with next_hop_password_file", table))
	} else if _, err := a.password(); err != nil {
		errs = append(errs, fmt.Errorf("%s.next_hop_password_file: %w", table, err))
	}
	return errors.Join(errs...)
}

// here reports whether a next hop is on this machine, so that nobody stands between.
func here(nextHop string) bool {
	network, address := Endpoint(nextHop)
	host, _, _ := net.SplitHostPort(address)
	return network == "unix" || host == "localhost" || net.ParseIP(host).IsLoopback()
}
