package spamd

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Requests of spamc 4.0.1 byte for byte, and others in the form of Exim and of older and wrong clients, with what spamd 4.0.1 answered:
// ours differ in figures and in the body alone.
func TestRecorded(t *testing.T) {
	r := newRig(t, "teachers = ['127.0.0.1']", "")
	for _, tt := range []struct {
		file, but string // but: what we answer otherwise, and why
	}{
		{"spamc_ping", ""},
		{"spamc_check", ""},
		{"spamc_symbols", ""},
		{"spamc_report", ""},
		{"spamc_report_ifspam", ""},
		{"spamc_process", ""},
		{"spamc_headers", ""},
		{"spamc_learn_spam", ""},
		{"spamc_learn_again", ""},
		{"spamc_learn_ham", ""},
		{"spamc_forget", ""},
		{"spamc_report_spam", "SPAMD/1.1 0 EX_OK\r\nDidSet: local,remote"}, // spamd had no network
		{"spamc_revoke", "SPAMD/1.1 0 EX_OK\r\nDidSet: local\r\nDidRemove: remote"},
		{"exim_report", ""},
		{"zlib", ""},
		{"check_until_eof", ""},
		{"symbols_1.0", ""},
		{"symbols_1.1", ""},
		{"process_1.0", "SPAMD/1.0 0 EX_OK\r\nX-Spam-Checker-Version"}, // the mail follows at once
		{"process_1.2", ""},
		{"headers_1.2", ""},
		{"ping_1.2", ""},
		{"skip", ""},
		{"mismatch_long", ""},
		{"not_numeric", ""},
		{"unknown_command", ""},
		{"no_colon", ""},
		{"unknown_field", ""},
		{"set_and_remove", ""},
		{"gzip", ""},
		{"zlib_until_eof", ""},
		{"lower_case", ""},
		{"eof_in_headers", ""},
	} {
		sent, answered := read(t, tt.file+".request"), read(t, tt.file+".answer")
		want := shape(answered)
		if tt.but != "" {
			want = tt.but
		}
		got := r.send(sent)
		if shape := shape(got); !strings.HasPrefix(shape, want) || tt.but == "" && shape != want {
			t.Errorf("%s: %q, want %q", tt.file, got[:min(len(got), 300)], want)
		}
	}
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// shape is the fields of an answer without what differs from filter to filter.
func shape(answer string) string {
	head, _, _ := strings.Cut(answer, "\r\n\r\n")
	head = regexp.MustCompile(`(Content-length:) \d+`).ReplaceAllString(head, "$1 N")
	return regexp.MustCompile(`(Spam: \w+ ;) [-.0-9]+ /`).ReplaceAllString(head, "$1 S /")
}
