package api

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rempart/config"
)

// The page's configuration loads and its commands run as they stand. Its digest is that of "example-token".
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```(toml|sh)\n(.*?)^```").FindAllStringSubmatch(string(page), -1)
	var file struct {
		Gateway struct {
			API []Config `toml:"api"`
		} `toml:"gateway"`
	}
	if err := config.Parse("docs/api.md", []byte(blocks[0][2]), &file); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *Config) {
		listen := c.Listen
		*c = file.Gateway.API[0]
		c.Listen = listen
	})
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mail.eml"), []byte(mail), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{`"action":"accept"`, `"channel":"sms"`, `"channel":"call"`, `"channel":"im"`, `"taken":1`, `"after":0.9`}
	for i, b := range blocks[1:] {
		cmd := exec.Command("sh", "-c", b[2])
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "TOKEN=example-token", "API="+r.url)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want[i]) {
			t.Errorf("%s\nanswers %s %v", b[2], out, err)
		}
	}
	if len(blocks) != 1+len(want) {
		t.Errorf("%d blocks on the page", len(blocks))
	}
}
