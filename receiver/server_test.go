package receiver

import (
	"testing"

	"aspectop/model"
)

func TestWebhookPathMustBeOneThatARequestCanHave(t *testing.T) {
	for path, ok := range map[string]bool{
		"": true, "/": true, "/hook": true, "/a%20b": true, "/a/b/": true, "/ä": false, "/a b": false, "hook": false,
		"/hook?x=1": false, "/hook#x": false, "/%zz": false, "http://x/hook": false, "*": false, "/healthz": false,
	} {
		_, err := New(Config{Path: path, Secrets: []Secret{NewSecret("a")}, Journal: &memory{}, Status: model.NewStatusLog(1)})
		if (err == nil) != ok {
			t.Errorf("%q: error %v, want one: %v", path, err, !ok)
		}
	}
}

func TestServerNeedsSecretsJournalAndStatus(t *testing.T) {
	whole := Config{Secrets: []Secret{NewSecret("a")}, Journal: &memory{}, Status: model.NewStatusLog(1)}
	for what, lack := range map[string]func(*Config){
		"secrets": func(c *Config) { c.Secrets = nil },
		"journal": func(c *Config) { c.Journal = nil },
		"status":  func(c *Config) { c.Status = nil },
	} {
		c := whole
		lack(&c)
		if _, err := New(c); err == nil {
			t.Errorf("made a server without %s", what)
		}
	}
}
