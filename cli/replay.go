package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/cli/exit"
	"aspectop/cli/session"
	"aspectop/cli/settings"
	"aspectop/forward"
	"aspectop/model"
	"aspectop/printer"
)

type replayFlags struct {
	to        string
	filter    string
	since     settings.Moment
	journal   string
	secretEnv string
	verbatim  bool
	newID     bool
	dryRun    bool
	json      bool

	handler *forward.Replay
	picked  int64
	count   printer.Replayed
	silent  int    // deliveries in a row without an answer; at mostSilent nothing more is posted
	hint    string // the last one printed
	warned  bool   // about old signatures
}

func newReplay() *cobra.Command {
	var r replayFlags
	cmd := &cobra.Command{
		Use:   "replay --to URL",
		Short: "Post stored deliveries to a handler again",
		Long: `replay posts the messages in a journal to a handler again, one at a time in the
order they arrived, each once. Messages keep their svix-id, headers and body, and
are re-signed, because handlers reject signatures older than five minutes.
Snapshots from Aspect's API cannot be replayed. A watch may be writing the
journal; messages that arrive during the replay are not included.

It stops after three deliveries in a row without an answer.

Exit codes: 0 all were answered 2xx, or there was nothing to post; 1 some were
not; 2 usage error; 3 no journal; 130 interrupted.`,
		Example: `  aspectop replay --to http://localhost:3000/webhooks --since 1h
  aspectop replay --to http://localhost:3000/webhooks --filter state:failed --dry-run`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return r.run(cmd.Context(), cmd.Flags()) }
	f := cmd.Flags()
	f.StringVar(&r.to, "to", "", "`URL` of the handler")
	f.StringVar(&r.filter, "filter", "", "only deliveries that match this `filter`, such as \"state:failed\""+session.FilterTerms)
	f.Var(&r.since, "since", "only deliveries received since this `time`, such as 2h, 12:00, 2026-01-02 or 2026-01-02T15:04:05Z")
	settings.JournalVar(f, &r.journal, "journal `file` (default: the one that watch writes)")
	f.StringVar(&r.secretEnv, "secret-env", settings.SecretVariable, "environment `variable` with the handler's signing secret")
	f.BoolVar(&r.verbatim, "verbatim", false, "keep the original signature")
	f.BoolVar(&r.newID, "new-id", false, "give each message a new svix-id, so that the handler does not treat it as a duplicate")
	f.BoolVar(&r.dryRun, "dry-run", false, "only print what would be posted")
	f.BoolVar(&r.json, "json", false, "print one JSON object per delivery")
	return cmd
}

// mostSilent is how many deliveries in a row may get no answer before the replay
// stops.
const mostSilent = 3

func (r *replayFlags) run(ctx context.Context, flags *pflag.FlagSet) error {
	filter, _, err := settings.ParseFilter(r.filter)
	if err != nil {
		return err
	}
	if err := r.open(flags); err != nil {
		return err
	}
	_, reader, err := settings.OpenReader(r.journal)
	if err != nil {
		return err
	}
	defer reader.Close()
	selection := printer.Selection{Journal: reader, Filter: filter, Since: r.since.At}
	err = selection.Each(ctx, func(d *model.Delivery) error { return r.take(ctx, d) })
	to := r.handler.To()
	r.count.Selected = r.picked - r.count.LeftOut
	switch {
	case ctx.Err() != nil:
		err = exit.With(exit.Interrupted, fmt.Errorf("interrupted after posting %d", r.count.Posted))
	case err == nil && !r.dryRun && r.count.Posted < r.count.Selected:
		err = fmt.Errorf("no answer from %s %d times in a row", to, mostSilent)
	}
	switch {
	case r.picked == 0 && err == nil:
		fmt.Fprintln(os.Stderr, "aspectop: nothing to post: no delivery in the journal matches")
	case r.count.LeftOut > 0:
		fmt.Fprintf(os.Stderr, "aspectop: skipped %d that did not arrive by webhook and cannot be posted\n", r.count.LeftOut)
	}
	if !r.dryRun {
		err = errors.Join(printer.WriteReplayEnd(os.Stdout, formatOf(r.json), time.Now(), to, r.count), err)
	}
	if failed := r.count.Posted - r.count.Delivered; err == nil && failed > 0 {
		err = fmt.Errorf("%d of %d deliveries were not accepted by %s", failed, r.count.Posted, to)
	}
	return err
}

func (r *replayFlags) open(flags *pflag.FlagSet) (err error) {
	if r.to == "" {
		return exit.Usage("--to is missing: the URL of the handler, such as http://localhost:3000/webhooks")
	}
	if r.verbatim && r.newID && !settings.Overrides(flags, "verbatim", "new-id") ||
		r.verbatim && flags.Changed("secret-env") && !settings.Overrides(flags, "verbatim", "secret-env") {
		return exit.Usage("--verbatim keeps the old signature, so it cannot be used with --new-id or --secret-env")
	}
	o := forward.ReplayOptions{Target: forward.Target{URL: r.to}, NewID: r.newID}
	if !r.verbatim {
		secret, err := settings.SigningSecret(r.secretEnv)
		if err != nil {
			return err
		}
		o.Sign = secret.Sign
	}
	if r.handler, err = forward.NewReplay(o); err != nil {
		return exit.Usage("--to: %w", err)
	}
	return nil
}

func (r *replayFlags) take(ctx context.Context, d *model.Delivery) error {
	e := model.Decode(d)
	r.picked++
	switch {
	case d.Source == model.SourceAPI, r.verbatim && d.Source != model.SourceWebhook:
		r.count.LeftOut++
		return nil
	case r.silent == mostSilent: // only counted
		return ctx.Err()
	case r.dryRun:
		return printer.WritePlanned(os.Stdout, formatOf(r.json), time.Now(), &e, r.handler.To(), !r.verbatim)
	}
	return r.post(ctx, d, &e)
}

// post posts one delivery and prints the result. An error ends the replay.
func (r *replayFlags) post(ctx context.Context, d *model.Delivery, e *model.Event) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r.verbatim && !r.warned && forward.Stale(d, time.Now()) {
		r.warned = true
		fmt.Fprintln(os.Stderr, "aspectop: these signatures are older than 5 minutes, so handlers should reject them; without --verbatim each delivery is re-signed")
	}
	f := r.handler.Post(ctx, d)
	if ctx.Err() != nil && f.Status == 0 {
		f.Error, f.Hint = "interrupted before the answer arrived", ""
	}
	r.count.Posted++
	r.silent++
	if f.Status != 0 {
		r.silent = 0
	}
	if f.Delivered() {
		r.count.Delivered++
	}
	switch f.Hint {
	case "":
	case r.hint:
		f.Hint = "" // already printed
	default:
		r.hint = f.Hint
	}
	return printer.WriteReplayed(os.Stdout, formatOf(r.json), e, &f)
}
