package ui

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"aspectop/model"
)

// connected are a host's options, with all that Connect may list.
func connected(o *options) {
	o.LivePage, o.SSHCommand = "http://127.0.0.1:8788/the-token/", "ssh -p 2222 this-machine"
	o.SecretSource, o.Secrets = "/run/secrets/aspect", []string{"staging"}
	o.Receiver, o.Try = "http://127.0.0.1:8787/webhooks/aspect", "aspectop send task.progress --to http://127.0.0.1:8787/webhooks/aspect"
}

// ownScreenOnly is what nobody else sees on Connect.
var ownScreenOnly = []string{"the-token", "/run/secrets/aspect", "knoll-grove"}

func tunnelUp(s *terminal) {
	s.status.Add(model.Status{At: midnight, Tunnel: &model.Tunnel{
		State: model.TunnelConnected, PublicURL: "https://knoll-grove.trycloudflare.com/webhooks/aspect", Probe: &model.Probe{OK: true, At: midnight, RoundTrip: 84 * time.Millisecond}}})
	s.wait(time.Second / 2)
}

func TestConnectFillsItselfInAndCopiesByNumber(t *testing.T) {
	onScreen(t, 120, 30, nil, func(s *terminal) {
		s.shows("Waiting for the first event", `✓ secret       "staging"`, "· reachable    from this machine only", "· endpoint", "· first event  not yet", "C connect")
		s.press("C")
		tunnelUp(s)
		s.shows("✓ reachable    through the public URL", "· endpoint     in Aspect's dashboard, point one at the public URL")
		for key, want := range map[string]string{
			"1": "http://127.0.0.1:8787/webhooks/aspect", "2": "https://knoll-grove.trycloudflare.com/webhooks/aspect", "3": "http://127.0.0.1:8788/the-token/",
			"4": "ssh -p 2222 this-machine", "5": "/run/secrets/aspect", "6": "aspectop send task.progress",
		} {
			s.printed = nil
			s.press(key)
			s.shows(want, "sent to the terminal") // the page stays
			if got := fmt.Sprint(s.printed); !strings.Contains(got, want) {
				t.Errorf("%s copied %q, not %q", key, got, want)
			}
		}
		s.deliver(event(1, "task.progress", 0, "proxy=queued"))
		s.shows("✓ endpoint", "✓ first event")
		s.press("esc")
		s.hides("✓ first event") // a notice may still name what was copied
		s.press("C", "P")        // no key but the numbers acts here
		s.shows("✓ first event")
	}, connected)
}

func TestConnectScrollsWhereItDoesNotFit(t *testing.T) {
	onScreen(t, 60, 10, nil, func(s *terminal) {
		s.press("C")
		s.hides("ssh -p 2222")
		s.press("G")
		s.shows("ssh -p 2222", "test event")
	}, connected)
}

func TestNobodyElseSeesWhatConnectHasForTheUser(t *testing.T) {
	for name, change := range map[string]func(*options){
		"over SSH":     func(o *options) { o.Remote = true },
		"presentation": func(o *options) { o.Present = true },
		"recorded":     func(o *options) { o.Recorded = true },
	} {
		for _, key := range []string{"esc", "C"} { // the empty board, and the page
			t.Run(name+", "+key, func(t *testing.T) {
				onScreen(t, 120, 30, nil, func(s *terminal) {
					tunnelUp(s)
					s.press(key)
					s.shows("secret", "(hidden)")
					lines := strings.SplitN(s.frame(), "\n", 4) // the header is a recording's as ever
					s.printed = nil
					s.press("2", "3", "5")
					all := lines[3] + fmt.Sprint(s.printed)
					for _, text := range ownScreenOnly {
						if strings.Contains(all, text) {
							t.Errorf("%q is shown or copied:\n%s", text, all)
						}
					}
					if s.press("6"); name == "presentation" && strings.Contains(lines[3]+fmt.Sprint(s.printed), "127.0.0.1") {
						t.Errorf("the receiver's URL is shown or copied:\n%s%s", lines[3], s.printed)
					}
				}, connected, change)
			})
		}
	}
	onScreen(t, 120, 30, nil, func(s *terminal) {
		s.shows("live page")
		s.press("C")
		s.shows("live page")
		for _, b := range s.m.keys {
			if b.Help == "connect: URLs, checklist" {
				t.Error("a private screen has a key for what it never shows")
			}
		}
	}, connected, func(o *options) { o.Private = true })
}

func TestAPictureOfConnectHasNothingForTheUserAlone(t *testing.T) {
	var drawn string
	onScreen(t, 120, 30, nil, func(s *terminal) {
		tunnelUp(s)
		s.press("C")
		s.shows(ownScreenOnly...)
		s.press("S")
		s.wait(time.Second)
		_, body, _ := strings.Cut(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(drawn, ""), "reachable")
		if body == "" {
			t.Fatalf("no picture of Connect: %.300s", drawn)
		}
		for _, text := range ownScreenOnly {
			if strings.Contains(body, text) {
				t.Errorf("%q is in the picture", text)
			}
		}
	}, connected, func(o *options) {
		o.Picture = func(of, svg string) (string, error) { drawn = svg; return of, nil }
	})
}

func TestPresentationIsFitForCustomers(t *testing.T) {
	onScreen(t, 120, 30, uploads(), func(s *terminal) {
		s.shows("Acme uploads", "5 tasks")
		s.hides("secret", "rejected", "duplicate", "hidden", "127.0.0.1")
		s.press("P")
		s.shows(`secret "staging"`, "Acme uploads", "127.0.0.1:8787")
	}, connected, func(o *options) { o.Present, o.Title = true, "Acme uploads" })
}

// Its own numbers copy: the views' would mislead.
func TestTheTabsNameNoOpenViewAndNoKeysThatDoNotWork(t *testing.T) {
	opened(t, 120, 30, uploads(), []string{"m"}, func(s *terminal) {
		tabs := func() string { return strings.Split(s.m.View().Content, "\n")[2] }
		view, strong := tabs(), regexp.MustCompile(`\x1b\[m\x1b\[1[;m]`)
		if !strong.MatchString(view) || !strings.Contains(view, "2 Board") {
			t.Fatalf("the tabs are %q", view)
		}
		for _, key := range []string{"C", "?"} {
			s.press(key)
			if covered := tabs(); strong.MatchString(covered) || strings.Contains(covered, "2 Board") || ansi.StringWidth(covered) != ansi.StringWidth(view) {
				t.Errorf("after %s: %q", key, covered)
			}
			s.send(tea.MouseClickMsg{X: 10, Y: 12, Button: tea.MouseLeft}) // on no row of the list below
			s.send(tea.MouseClickMsg{X: 15, Y: 2, Button: tea.MouseLeft})
			s.shows("2 Board", "FEATURE")
			s.press("1")
		}
	}, connected)
}
