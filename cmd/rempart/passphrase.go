package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// errPassphrase: there is nobody to ask, or the answer will not do.
var errPassphrase = errors.New("no passphrase for the keys")

// minPassphrase is the shortest that may protect keys: an attacker who has the file can try as many as he likes.
const minPassphrase = 12

// passphrase reads it from the first line of file, or without echo from the terminal. It is never an argument: other users
// of the machine could read it in the list of processes. A new one is asked for twice.
func passphrase(e *env, file string, fresh bool) (string, error) {
	var phrase string
	var err error
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		phrase, _, _ = strings.Cut(string(b), "\n")
		phrase = strings.TrimSuffix(phrase, "\r")
	} else if phrase, err = askPassphrase(e, fresh); err != nil {
		return "", err
	}
	if phrase == "" {
		return "", fmt.Errorf("%w: it is empty", errPassphrase)
	}
	if fresh && utf8.RuneCountInString(phrase) < minPassphrase {
		return "", fmt.Errorf("%w: it has fewer than %d characters", errPassphrase, minPassphrase)
	}
	return phrase, nil
}

func askPassphrase(e *env, fresh bool) (string, error) {
	f, ok := e.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", errPassphrase
	}
	ask := func(what string) (string, error) {
		fmt.Fprint(e.stderr, what)
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(e.stderr)
		return string(b), err
	}
	phrase, err := ask("Passphrase of the keys: ")
	if err != nil || !fresh {
		return phrase, err
	}
	again, err := ask("Once more: ")
	if err == nil && again != phrase {
		err = fmt.Errorf("%w: the two differ", errPassphrase)
	}
	return phrase, err
}
