package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// doctor checks what the other commands need. Its flags are those of watch, so
// that it checks what a watch would use.
type doctor struct {
	listen      string
	listenGiven bool
	secretFile  string
	journal     string
	cloudflared string
	json        bool

	failed int
}

// verdict is how a check came out.
type verdict string

const (
	fine    verdict = "ok"
	warning verdict = "warn" // something may go wrong, or only part of it works
	failure verdict = "fail"
	skipped verdict = "skip" // it could not be checked
)

// finding is what one check found.
type finding struct {
	verdict verdict
	found   string
	do      string // "" if there is nothing to do, or found says so
}

func newDoctor() *cobra.Command {
	var d doctor
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what watch needs, and say what to do",
		Long: `doctor checks the config file, the signing secrets, the port, the journal, the API
key, this machine's clock, what earlier runs left registered, cloudflared and the
terminal. Each check is one line: ok, warn, fail, or skip where it could not be
made; what was found; what to do. It shows no secret and changes nothing.

Exit codes: 0 nothing failed, 1 something did.`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return d.run(cmd) }
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&d.listen, "listen", defaultListen, "`address` that watch is to receive on")
	f.StringVar(&d.secretFile, "secret-file", "", "`file` that holds the signing secrets")
	f.StringVar(&d.journal, "journal", "", "journal `file` (default: where watch keeps it)")
	f.StringVar(&d.cloudflared, "cloudflared", "", "`path` of cloudflared (default: found on PATH)")
	f.BoolVar(&d.json, "json", false, "print one JSON object a check")
	return cmd
}

func (d *doctor) run(cmd *cobra.Command) error {
	ctx := cmd.Context()
	settings := settle(cmd, nil) // a bad config file is a finding, not the end
	d.listenGiven = cmd.Flags().Changed("listen")
	var account *account
	for _, check := range []struct {
		name string
		look func() finding
	}{
		{"config", func() finding { return checkConfig(settings) }},
		{"secrets", d.checkSecrets},
		{"port", d.checkPort},
		{"journal", d.checkJournal},
		{"api key", func() finding {
			account = askAccount(ctx)
			return account.checkKey()
		}},
		{"clock", func() finding { return account.checkClock() }},
		{"endpoints", d.checkLeases},
		{"cloudflared", func() finding { return d.checkCloudflared(ctx) }},
		{"terminal", checkTerminal},
	} {
		f := check.look()
		if ctx.Err() != nil {
			return &exitError{exitInterrupted, errors.New("interrupted")}
		}
		if err := d.tell(check.name, f); err != nil {
			return err
		}
	}
	switch d.failed {
	case 0:
		return nil
	case 1:
		return errors.New("one check failed")
	}
	return fmt.Errorf("%d checks failed", d.failed)
}

// tell prints a finding.
func (d *doctor) tell(name string, f finding) error {
	if f.verdict == failure {
		d.failed++
	}
	if d.json {
		return writeLines(struct {
			head
			Name   string  `json:"name"`
			Status verdict `json:"status"`
			Found  string  `json:"found"`
			Do     *string `json:"do"`
		}{headOf("check"), name, f.verdict, f.found, orNull(f.do)})
	}
	sentence := fmt.Sprintf("%-4s  %s: %s", f.verdict, name, f.found)
	if f.do != "" {
		sentence += "; " + f.do
	}
	return writeSentence(sentence)
}

// openToOthers is a finding about a file that others can read, nil if they
// cannot.
func openToOthers(what, path string) *finding {
	mode, open := othersMay(path)
	if !open {
		return nil
	}
	return &finding{warning, fmt.Sprintf("%s %s is open to other users (mode %04o)", what, path, mode), "close it: chmod 600 " + path}
}

// askTime is how long the API may take to answer, cloudflared to tell its
// version.
const askTime = 10e9

// within is a context for one question.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, askTime)
}
