package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/printer"
	"aspectop/receiver"
)

type verifyFlags struct {
	at         string
	secretFile string
	json       bool
}

func newVerify() *cobra.Command {
	v := new(verifyFlags)
	cmd := &cobra.Command{
		Use:   "verify FILE|-",
		Short: "Judge saved deliveries as the receiver would",
		Long: `verify judges saved requests as the receiver does, without a network: lines that
export writes, an HTTP Archive (HAR) or one of its entries, or raw HTTP requests.
Each gets a line. The signing secret comes from ` + settings.SecretVariable + ` or
--secret-file.

Exit codes: 0 all are verified; 1 at least one is not; 2 at least one is
unreadable, cut or redacted, or there is none, or no secret.`,
		Example: `  aspectop export --since 1h | aspectop verify -
  aspectop verify capture.har --at now`,
		Args: arguments(1, 1, "name one file, or - for standard input"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), args[0]) }
	f := cmd.Flags()
	f.StringVar(&v.at, "at", "received", "judge the age of signatures when each was `received`, where the record says so, or now")
	settings.PathVar(f, &v.secretFile, "secret-file", "`file` with the signing secrets", nil)
	f.BoolVar(&v.json, "json", false, "print one JSON object per request")
	return cmd
}

func (v *verifyFlags) run(ctx context.Context, file string) error {
	if v.at != "received" && v.at != "now" {
		return exit.Usage("unknown --at %q: must be received or now", v.at)
	}
	secrets, err := settings.ReadSecrets(v.secretFile)
	if errors.Is(err, settings.ErrNoSecret) {
		return exit.Usage("no webhook secret is set: put it into %s, or name a file with --secret-file", settings.SecretVariable)
	} else if err != nil {
		return err
	}
	verifier, err := receiver.NewVerifier(secrets)
	if err != nil {
		return exit.Usage("%w", err)
	}
	text, err := readInput(file)
	if err != nil {
		return exit.Usage("%w", err)
	}
	saved := receiver.ReadSaved(text)
	if len(saved) == 0 {
		return exit.Usage("%s holds no request", file)
	}
	problems, refused := 0, 0
	for i := range saved {
		if ctx.Err() != nil {
			return exit.With(exit.Interrupted, errors.New("interrupted"))
		}
		s := &saved[i]
		judged := printer.Judged{Place: s.Place, At: time.Now(), When: "now"}
		if v.at == "received" && !s.Received.IsZero() {
			judged.At, judged.When = s.Received, "received"
		}
		judged.ID, judged.Verdict = verifier.Judge(s, judged.At)
		judged.Problem = s.Problem
		switch {
		case s.Problem != "":
			problems++
		case !judged.Verdict.OK():
			refused++
		}
		if err := printer.WriteJudged(os.Stdout, formatOf(v.json), judged); err != nil {
			return err
		}
	}
	switch all := len(saved); {
	case problems > 0:
		return exit.With(exit.Misused, fmt.Errorf("%d of %d cannot be judged, %d are not verified", problems, all, refused))
	case refused > 0:
		return fmt.Errorf("%d of %d are not verified", refused, all)
	}
	return nil
}
