package session

import (
	"context"
	"os/exec"
	"reflect"
	"slices"
	"testing"
	"time"

	"aspectop/aspect"
	"aspectop/feed"
	"aspectop/model"
	"aspectop/share/ssh"
	"aspectop/ui/screen"
)

// What a viewer over SSH has is listed here once more: a field that is added to the
// options of a screen, and given to the host's, reaches no viewer by default.
func TestAViewerHasOnlyWhatIsListed(t *testing.T) {
	listed := []string{
		"Feed", "Journal", "Now", "Pace", "Receiver", "Secrets", "Endpoint", "Sources", "Failing", "Names", "JournalPath", "Remarks", "Try", "Demo", "Title",
		"Remote", "Private", "Viewers", "Theme", "ASCII", "ReducedMotion", "Filter", "Filters", "Since", "API", "Queues", "Terminal",
	}
	notPrivate := []string{"JournalPath", "API", "Endpoint"} // they tell URLs and paths, or show payloads
	host := everything(t)
	for _, private := range []bool{false, true} {
		client := ssh.Client{Window: func() (int, int) { return 80, 24 }}
		o := reflect.ValueOf(remoteOptions(host, client, private))
		for i := range o.NumField() {
			name := o.Type().Field(i).Name
			has := slices.Contains(listed, name) && !(private && slices.Contains(notPrivate, name))
			if name == "Private" {
				has = private
			}
			if has == o.Field(i).IsZero() {
				t.Errorf("private %v: %s is given: %v, want %v", private, name, !has, has)
			}
		}
	}
	o := remoteOptions(host, ssh.Client{NoColor: true}, false)
	if _, ok := o.Journal.(withoutCredentials); !ok || slices.Equal(o.Remarks, host.Remarks) || o.Theme != "mono" {
		t.Errorf("a viewer has the host's own: %T, %q, %q", o.Journal, o.Remarks, o.Theme)
	}
}

// everything is the options of a host's screen with every field set.
func everything(t *testing.T) screen.Options {
	t.Helper()
	o := screen.Options{
		Feed: feed.New(feed.Options{}), Journal: withoutCredentials{}, API: &aspect.Client{}, Names: named{}, Filter: new(model.Filter), Filters: model.NamedFilters{"mine": "x"}, Since: time.Now(),
		Editor: func(context.Context, string) (*exec.Cmd, error) { return nil, nil },
	}
	v := reflect.ValueOf(&o).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		if !f.IsZero() {
			continue
		}
		switch f.Kind() {
		case reflect.Func:
			f.Set(reflect.MakeFunc(f.Type(), func([]reflect.Value) []reflect.Value { return nil }))
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		case reflect.String:
			f.SetString("set")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int64:
			f.SetInt(1)
		default:
			t.Fatalf("set %s here", v.Type().Field(i).Name)
		}
	}
	return o
}

type named struct{}

func (named) Get(string) (string, bool) { return "", false }
func (named) Want(...string)            {}

func TestManyViewersTogetherDrawNoMoreThanAFewDo(t *testing.T) {
	for n, want := range map[int]time.Duration{1: 100 * time.Millisecond, 6: 100 * time.Millisecond, 16: 250 * time.Millisecond, 64: time.Second} {
		pace := remotePace(func() []model.Viewer { return make([]model.Viewer, n) })
		if got := pace(); got != want {
			t.Errorf("%d viewers: a frame each %s, want %s", n, got, want)
		}
	}
}
