// Command rempart is the whole program: one file a subcommand, each with its flags and its output; the work is done by
// the packages.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

// env is what a command may touch of the world outside.
type env struct {
	ctx      context.Context
	stdin    io.Reader
	stdout   io.Writer
	stderr   io.Writer
	now      func() time.Time
	terminal bool // stderr is a terminal: progress may be shown
}

// Exit codes, as every command's help says.
const (
	exitOK      = 0
	exitSpam    = 1 // scan --exit-code found spam
	exitUsage   = 2
	exitFailure = 3
)

// commands is the command line.
type commands struct {
	Serve      serveCmd      `cmd:"" help:"Run a node."`
	Scan       scanCmd       `cmd:"" help:"Judge messages from files or standard input."`
	Learn      learnCmd      `cmd:"" help:"Teach that messages are spam or honest."`
	Eval       evalCmd       `cmd:"" help:"Measure accuracy on a labelled corpus."`
	Train      trainCmd      `cmd:"" help:"Make the weights that come with the program, or measure them."`
	Demo       demoCmd       `cmd:"" help:"Run a node with made-up traffic on four channels to look at."`
	Shadow     shadowCmd     `cmd:"" help:"Put a running node to shadow mode, or back."`
	DKIM       dkimCmd       `cmd:"" name:"dkim" help:"Make keys that sign mail, or compare them with DNS."`
	Config     configCmd     `cmd:"" help:"Check a configuration, or print an example."`
	Policy     policyCmd     `cmd:"" help:"Export settings in bulk, or preview a changed policy."`
	Compare    compareCmd    `cmd:"" help:"Show how often the filter before and the node were of one mind."`
	Backup     backupCmd     `cmd:"" help:"Copy the state of a node into one file."`
	Restore    restoreCmd    `cmd:"" help:"Make a data directory from a backup."`
	Quarantine quarantineCmd `cmd:"" help:"List, show, release or delete mail that was put aside."`
	Feedback   feedbackCmd   `cmd:"" help:"Print what complaints, DMARC and TLS reports say, or what goes out."`
	Complain   complainCmd   `cmd:"" help:"Write a complaint about a mail to those who sent it."`
	Report     reportCmd     `cmd:"" help:"Write a report of what was measured."`
	Privacy    privacyCmd    `cmd:"" help:"Show or erase what is held on a person."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

const description = `Rempart filters spam by e-mail, text message, call and instant message, and explains every verdict.

Exit codes: 0 all went well; 1 spam was found (scan --exit-code); 2 wrong usage; 3 failure.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	e := &env{ctx: ctx, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: time.Now,
		terminal: term.IsTerminal(int(os.Stderr.Fd()))}
	os.Exit(run(e, os.Args[1:]))
}

// run parses the arguments, runs the command and returns the exit code.
func run(e *env, args []string) int {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	exited := -1
	parser, err := kong.New(&commands{}, kong.Name("rempart"), kong.Description(description), kong.Writers(e.stdout, e.stderr),
		kong.Exit(func(code int) { exited = code; panic(errExit) }), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		fmt.Fprintln(e.stderr, "rempart:", err)
		return exitUsage
	}
	kctx, err := parse(parser, args)
	if exited >= 0 {
		return exited // --help
	}
	if err != nil {
		fmt.Fprintln(e.stderr, "rempart:", err)
		fmt.Fprintln(e.stderr, "rempart: hint: rempart --help lists the commands, rempart COMMAND --help its flags with an example")
		return exitUsage
	}
	err = kctx.Run(e)
	var code exitCode
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintln(e.stderr, "rempart:", err)
	for _, h := range hints {
		if errors.Is(err, h.err) {
			fmt.Fprintln(e.stderr, "rempart: hint:", h.next)
			break
		}
	}
	return exitFailure
}

// errExit unwinds kong's parser after it printed the help, which it does from inside.
var errExit = errors.New("exit")

func parse(p *kong.Kong, args []string) (ctx *kong.Context, err error) {
	defer func() {
		if r := recover(); r != nil && r != errExit { //nolint:errorlint // it is the very value
			panic(r)
		}
	}()
	return p.Parse(args)
}

// exitCode is an error that only sets the exit code: what there was to say was said.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }
