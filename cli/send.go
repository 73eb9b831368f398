package cli

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/demo"
	"aspectop/forward"
	"aspectop/model"
	"aspectop/printer"
	"aspectop/receiver"
)

type sendFlags struct {
	to        string
	task      string
	features  []string
	id        string
	timestamp settings.Stamp
	wrong     string
	scenario  string
	seed      int64
	secretEnv string
	json      bool
	body      bodyFlags
	sender    *demo.Sender

	mu       sync.Mutex   // guards what follows: a scenario posts concurrently
	accepted int          // invalid messages that were
	passed   int          // invalid messages that were neither accepted nor rejected
	wrongest printer.Sent // the last answer that is not right, else the last one
	hint     string       // the last one printed
	printErr error
}

func newSend() *cobra.Command {
	s := new(sendFlags)
	cmd := &cobra.Command{
		Use:   "send TYPE --to URL",
		Short: "Sign and post an event, a body of yours or a scenario to any receiver",
		Long: `send signs an event, such as task.failed, as Svix does and posts it to a receiver,
or plays a scenario. By default the task has the features usual for the event
type and random ids. svix.ping is Svix's test message. --body sends a file as it
is; --set, --asset, --user, --name and --edit change what is sent.

With --break the message is invalid, and the receiver should reject it. A valid
one is posted first, and has to be accepted.

Exit codes: 0 accepted, or with --break rejected; 1 the opposite, or no answer;
2 usage error; 130 interrupted.`,
		Example: `  aspectop send task.completed --to http://localhost:3000/webhooks
  aspectop send task.failed --to http://localhost:3000/webhooks --task 2e1c --feature visual=failed
  aspectop send task.progress --to http://localhost:3000/webhooks --break signature
  aspectop send --body event.json --to :3000/webhooks --set data.task.asset_id=7
  aspectop send --scenario rotten --to http://localhost:3000/webhooks`,
		Args:      atMostOne(": only one event type at a time"),
		ValidArgs: []string{"task.progress", "task.completed", "task.failed", "svix.ping"},
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), cmd.Flags(), args) }
	f := cmd.Flags()
	f.StringVar(&s.to, "to", "", "`URL` of the receiver")
	f.StringVar(&s.task, "task", "", "`id` of the task (default: a new one)")
	f.StringArrayVar(&s.features, "feature", nil, "`name=state` of a feature, such as visual=failed; repeatable")
	s.body.flags(f)
	f.StringVar(&s.id, "id", "", "svix-`id` of the message (default: a new one)")
	f.Var(&s.timestamp, "timestamp", "signing time: a time, Unix seconds, or a duration ago such as 10m (default: now)")
	f.StringVar(&s.wrong, "break", "", "`part` to get wrong: "+strings.Join(stringsOf(demo.Breaks), ", "))
	settings.PathVar(f, &s.scenario, "scenario", "play this `scenario` instead of one event: "+strings.Join(demo.Scenarios(), ", ")+", or a file", isScenario)
	f.Int64Var(&s.seed, "seed", 0, "seed of the scenario; the same seed gives the same tasks (default: random)")
	f.StringVar(&s.secretEnv, "secret-env", settings.SecretVariable, "environment `variable` with the signing secret")
	f.BoolVar(&s.json, "json", false, "print one JSON object per attempt")
	return cmd
}

func (s *sendFlags) run(ctx context.Context, flags *pflag.FlagSet, args []string) error {
	if err := s.check(flags, args); err != nil {
		return err
	}
	features, err := parseFeatures(s.features)
	if err != nil {
		return err
	}
	secret, err := settings.SigningSecret(s.secretEnv)
	if err != nil {
		return err
	}
	if !flags.Changed("seed") {
		s.seed = rand.Int64()
	}
	s.sender = &demo.Sender{URL: s.to, Sign: secret.Sign, Key: "the secret in " + s.secretEnv, Observe: s.observe}
	if s.scenario != "" {
		err = s.play(ctx)
	} else {
		var m demo.Message
		if m, err = s.message(ctx, args, features); err == nil {
			err = s.post(ctx, m)
		}
	}
	switch {
	case s.printErr != nil:
		return s.printErr
	case ctx.Err() != nil:
		return exit.With(exit.Interrupted, errors.New("interrupted"))
	}
	return err
}

// post posts the message and judges the answer; before one that is wrong on purpose, a valid
// one: a receiver that rejects all of them proves nothing.
func (s *sendFlags) post(ctx context.Context, m demo.Message) error {
	if m.Break != "" {
		control := m
		control.ID, control.At, control.Break = "msg_"+crand.Text(), time.Time{}, ""
		if _, err := s.sender.Post(ctx, control); err != nil {
			return err
		}
		if err := s.judge(time.Time{}); err != nil {
			return fmt.Errorf("the valid message before it has to be accepted, or a rejection proves nothing: %w", err)
		}
	}
	if _, err := s.sender.Post(ctx, m); err != nil {
		return err
	}
	return s.judge(s.timestamp.At)
}

func (s *sendFlags) message(ctx context.Context, args []string, features []model.Feature) (m demo.Message, err error) {
	event := demo.Event{Task: s.task, Features: features, At: s.timestamp.At}
	if event.At.IsZero() {
		event.At = time.Now()
	}
	if s.body.file == "" {
		event.Type = args[0]
	} else if event.Body, err = readInput(s.body.file); err != nil {
		return m, exit.Usage("--body: %w", err)
	}
	m = event.Message(s.seed)
	m.Break = demo.Break(s.wrong)
	if s.id != "" {
		m.ID = s.id
	}
	if s.body.file == "" && event.Type != demo.PingType {
		// One space that no serialiser writes: handlers that verify JSON that was written
		// again, as svix.ping shows too, refuse it.
		m.Body = bytes.Replace(m.Body, []byte(`":`), []byte(`": `), 1)
	}
	m.Body, err = s.apply(ctx, m.Body, features)
	return m, err
}

func (s *sendFlags) check(flags *pflag.FlagSet, args []string) error {
	if err := s.conflict(flags, args); err != nil {
		return err
	}
	if s.scenario == "" && s.body.file == "" && (len(args) == 0 || args[0] == "") {
		return exit.Usage("no event type given, such as task.completed, and no --body or --scenario")
	}
	if s.wrong != "" && !slices.Contains(stringsOf(demo.Breaks), s.wrong) {
		return exit.Usage("unknown --break %q: must be one of %s", s.wrong, strings.Join(stringsOf(demo.Breaks), ", "))
	}
	if s.to == "" {
		return exit.Usage("--to is missing: the URL of the receiver, such as http://127.0.0.1:8787%s", receiver.DefaultPath)
	}
	u, err := forward.ParseURL(s.to)
	if err != nil {
		return exit.Usage("--to: %w", err)
	}
	s.to = u.String()
	return nil
}

func parseFeatures(texts []string) ([]model.Feature, error) {
	var features []model.Feature
	for _, text := range texts {
		name, state, _ := strings.Cut(text, "=")
		if name == "" || state == "" {
			return nil, exit.Usage("--feature %q: must look like visual=failed; states are %s", text, strings.Join(stringsOf(model.StateNames()), ", "))
		}
		if !model.State(state).Known() {
			fmt.Fprintf(os.Stderr, "aspectop: Aspect does not document a state %q; it is sent as it is (the others are %s)\n", clean.Text(state), strings.Join(stringsOf(model.StateNames()), ", "))
		}
		features = append(features, model.Feature{Name: name, State: model.State(state)})
	}
	return features, nil
}

func (s *sendFlags) play(ctx context.Context) error {
	scenario, err := demo.Load(s.scenario)
	if err != nil {
		return exit.Usage("--scenario: %w", err)
	}
	fmt.Fprintf(os.Stderr, "aspectop: playing %s with --seed %d\n", scenario.Name, s.seed)
	err = demo.Run(ctx, s.sender, demo.Options{Seed: s.seed, Scenario: scenario})
	if s.accepted > 0 {
		err = errors.Join(err, fmt.Errorf("%s accepted %d messages that it should have rejected; %s", clean.URL(s.to), s.accepted, s.sender.Advice()))
	}
	if s.passed > 0 {
		err = errors.Join(err, fmt.Errorf("%s answered %d messages that it should have rejected with neither 2xx nor a rejection", clean.URL(s.to), s.passed))
	}
	return err
}

func (s *sendFlags) observe(m demo.Message, a forward.Answer, err error) {
	e := model.Decode(&model.Delivery{Body: m.Body})
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := printer.Sent{
		At: time.Now(), ID: m.ID, Type: e.Type, To: clean.URL(s.to), Break: string(m.Break), Without: m.Without,
		Status: a.Status, Answer: a.Said, Fault: a.Fault, Hint: a.Hint, Took: a.Latency, Err: err, Right: err == nil && m.Break.Right(a),
	}
	if e.Task != nil {
		sent.Task = e.Task.ID
	}
	switch {
	case err != nil || m.Break == "" || sent.Right:
	case a.Status/100 == 2:
		s.accepted++
	default:
		s.passed++
	}
	if s.wrongest.To == "" || s.wrongest.Right || !sent.Right {
		s.wrongest = sent
	}
	s.printErr = errors.Join(s.printErr, printer.WriteSent(os.Stdout, formatOf(s.json), sent))
	// What is not said by the error at the end.
	if a.Hint != "" && a.Hint != s.hint && (sent.Right || s.scenario != "") {
		s.hint = a.Hint
		fmt.Fprintf(os.Stderr, "aspectop: %s: %s\n", clean.URL(s.to), clean.Text(a.Hint))
	}
}

// taken is what it means that a message that is wrong in this way is accepted.
var taken = map[string]string{
	"signature": "it verifies nothing, or carries on when verification fails",
	"malformed": "it verifies nothing, or carries on when verification fails",
	"secret":    "it verifies nothing, or carries on when verification fails",
	"headers":   "it verifies only what has a signature",
	"timestamp": "it takes old signatures, so others can send it again",
	"future":    "it does not compare the time with its clock",
	"body":      "it verifies re-serialised JSON, or nothing",
}

// judge returns an error unless the answers since the last call are as expected. The time
// is that of the signature, zero for now.
func (s *sendFlags) judge(at time.Time) error {
	last, to := s.wrongest, clean.URL(s.to)
	s.wrongest = printer.Sent{}
	hint := ""
	if last.Hint != "" {
		hint = ": " + last.Hint
	}
	switch {
	case last.Right:
		return nil
	case last.Break != "" && last.Status/100 == 2:
		return fmt.Errorf("%s accepted a message with a wrong %s: %s; %s", to, last.Break, taken[last.Break], s.sender.Advice())
	case last.Break != "":
		if last.Status >= 500 {
			hint += "; a failed verification has to be caught, and answered 4xx; " + s.sender.Advice()
		}
		return fmt.Errorf("%s answered %d, which does not reject a wrong %s%s", to, last.Status, last.Break, hint)
	case last.Status/100 == 4 && !at.IsZero() && time.Since(at) > 5*time.Minute:
		return fmt.Errorf("%s rejected the message with %d: it was signed %s ago, and receivers reject more than 5m",
			to, last.Status, strings.TrimSuffix(time.Since(at).Round(time.Minute).String(), "0s"))
	case last.Status/100 == 4:
		return fmt.Errorf("%s rejected the message with %d%s", to, last.Status, hint)
	}
	return fmt.Errorf("%s answered %d instead of a complete 2xx answer%s", to, last.Status, hint)
}
