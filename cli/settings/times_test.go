package settings

import (
	"testing"
	"time"
	_ "time/tzdata" // so that no machine lacks the zone

	"github.com/spf13/cobra"
)

func TestAMomentIsReadAsPeopleWriteIt(t *testing.T) {
	zone := time.FixedZone("here", 2*3600)
	now := time.Date(2026, 11, 28, 16, 30, 15, 0, zone)
	for text, want := range map[string]string{
		"2026-11-28":                "2026-11-28T00:00:00+02:00",
		"2026-03-01":                "2026-03-01T00:00:00+02:00",
		"12:00":                     "2026-11-28T12:00:00+02:00",
		"16:30":                     "2026-11-28T16:30:00+02:00",
		"16:30:15":                  "2026-11-28T16:30:15+02:00",
		"16:31":                     "2026-11-27T16:31:00+02:00", // still to come today
		"23:59:59":                  "2026-11-27T23:59:59+02:00",
		"0:05":                      "2026-11-28T00:05:00+02:00",
		"2026-11-28 09:00":          "2026-11-28T09:00:00+02:00",
		"2026-11-28 09:00:01":       "2026-11-28T09:00:01+02:00", // as --plain prints it
		"2026-11-28T09:00Z":         "2026-11-28T11:00:00+02:00",
		"2026-11-28T09:00:00+01:00": "2026-11-28T10:00:00+02:00",
		"1w":                        "2026-11-21T16:30:15+02:00",
		"1w1d":                      "2026-11-20T16:30:15+02:00",
		"2w12h":                     "2026-11-14T04:30:15+02:00",
		"3d":                        "2026-11-25T16:30:15+02:00",
		"90s":                       "2026-11-28T16:28:45+02:00",
		"0":                         "2026-11-28T16:30:15+02:00",
	} {
		if at, err := parseMoment(text, now); err != nil || at.In(zone).Format(time.RFC3339) != want {
			t.Errorf("%q is %v, %v, want %s", text, at.In(zone), err, want)
		}
	}
	for _, text := range []string{"", "yesterday", "24:00", "12:60", "12", "2026-11-31", "2026-11", "w", "1d1w", "-1w", "4096w", "32768d", "1w-1h", "99999999999999999999w"} {
		if at, err := parseMoment(text, now); err == nil {
			t.Errorf("%q is %v", text, at)
		}
	}
	if d, err := parseSpan("4095w32767d23h"); err != nil || d <= 0 {
		t.Errorf("the longest duration is %v, %v", d, err)
	}
}

// In the night of a change of the clock, midnight and noon stay what the clock says.
func TestAMomentFollowsTheClockOfTheWall(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 10, 25, 8, 0, 0, 0, zone) // an hour longer than other nights
	for text, want := range map[string]string{
		"2026-10-25": "2026-10-25T00:00:00+02:00", "07:00": "2026-10-25T07:00:00+01:00", "23:00": "2026-10-24T23:00:00+02:00",
	} {
		if at, err := parseMoment(text, now); err != nil || at.In(zone).Format(time.RFC3339) != want {
			t.Errorf("%q is %v, %v, want %s", text, at.In(zone), err, want)
		}
	}
}

func TestAMomentOfTheConfigFileNeedsNoQuotationMarks(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026-11-28": time.Date(2026, 11, 28, 0, 0, 0, 0, time.Local), "\"1w\"": time.Now().Add(-7 * 24 * time.Hour),
		"2026-11-28T09:00:00": time.Date(2026, 11, 28, 9, 0, 0, 0, time.Local), "2026-11-28T09:00:00Z": time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC),
		"00:00:00": func() time.Time { y, m, d := time.Now().Date(); return time.Date(y, m, d, 0, 0, 0, 0, time.Local) }(),
	} {
		configured(t, "since = "+text+"\n")
		var since Moment
		cmd := &cobra.Command{Use: "watch", PreRunE: apply, RunE: func(*cobra.Command, []string) error { return nil }}
		cmd.Flags().Var(&since, "since", "")
		cmd.SetArgs(nil)
		if err := cmd.Execute(); err != nil || since.At.Sub(want).Abs() > time.Minute {
			t.Errorf("since = %s is %v, %v, want %v", text, since.At, err, want)
		}
	}
}
