package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong about signing in is named by file, line and key; what would let nobody in is wrong.
func TestWrongOIDC(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.toml")
	for text, want := range map[string]string{
		"[console.oidc]\nissuer = \"http://id.example\"\nclient_id = \"x\"\n":                                         "r.toml:2: console.oidc.issuer = ",
		"[console.oidc]\nissuer = \"https://id.example\"\nclient_id = \"x\"\n":                                        "r.toml:2: console.oidc.issuer: set quarantine.url",
		"[console.oidc]\nissuer = \"https://id.example\"\nclient_id = \"x\"\naccount_claim = \"email\"\n":             "r.toml:4: console.oidc.account_claim: set console.url",
		"[console]\nurl = \"rempart.example\"\n":                                                                      "r.toml:2: console.url = ",
		"[console]\nurl = \"https://m.example/rempart\"\n":                                                            "r.toml:2: console.url = ",
		"[console]\nurl = \"https://m.example?\"\n":                                                                   "r.toml:2: console.url = ",
		"[console]\nurl = \"https://m.example:8443/\"\n":                                                              "",
		"[quarantine]\nurl = \"https://m.example/rempart/\"\n":                                                        "r.toml:2: quarantine.url = ",
		"[quarantine]\nurl = \"ftp://m.example\"\n":                                                                   "r.toml:2: quarantine.url = ",
		"[quarantine]\nurl = \"https://me@m.example\"\n":                                                              "r.toml:2: quarantine.url = ",
		"[quarantine]\nurl = \"https://m.example/\"\n":                                                                "",
		"[quarantine]\nnext_hop = \"a:25\"\nnext_hop_user = \"x\"\nnext_hop_password_file = \"none\"\n":               "r.toml:4: quarantine.next_hop_password_file: open " + dir,
		"[feedback]\nnext_hop = \"a:25\"\nfrom = \"a@b.example\"\nnext_hop_tls = \"no\"\n":                            "r.toml:4: feedback.next_hop_tls = ",
		"[quarantine]\nurl = \"https://m.example\"\n[console.oidc]\nissuer = \"https://id.example\"\nclient_id=\"x\"": "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
