package settings

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"aspectop/cli/exit"
	"aspectop/feed"
	"aspectop/model"
)

func TestTheConfigFileNamesFiltersAndHandlers(t *testing.T) {
	t.Setenv("HANDLER_AUTH", "Bearer a-token-of-mine-1234567890")
	configured(t, `
theme = "dark"

[[forward]]
to = ":3000/hook"
name = "billing"
filter = "state:failed -user:u2"
headers = { X-Team = "media" }
header-env = { Authorization = "HANDLER_AUTH" }
insecure = true

[filters]
mine = "user:u1 state:failed,cancelled"

[[forward]]
to = "https://127.0.0.1:9/hook"
filter = "@mine"
headers = { X-Team = "media: two" }
header-env = { Authorization = "HANDLER_AUTH" }

[[forward]]
to = "http://localhost:3001"
[forward.headers]
x-a = "1"
`)
	named, err := Filters()
	if err != nil || !maps.Equal(named, model.NamedFilters{"mine": "user:u1 state:failed,cancelled"}) {
		t.Errorf("%v, %v", named, err)
	}
	got, err := Forwards()
	if err != nil || len(got) != 3 {
		t.Fatalf("%v, %v", got, err)
	}
	for i, want := range []struct {
		url, name string
		insecure  bool
		headers   http.Header
	}{
		{"http://localhost:3000/hook", "billing", true, http.Header{"X-Team": {"media"}, "Authorization": {"Bearer a-token-of-mine-1234567890"}}},
		{"https://127.0.0.1:9/hook", "", false, http.Header{"X-Team": {"media: two"}, "Authorization": {"Bearer a-token-of-mine-1234567890"}}},
		{"http://localhost:3001/", "", false, http.Header{"X-A": {"1"}}},
	} {
		g := got[i]
		if g.URL != want.url || g.Name != want.name || g.Insecure != want.insecure || !maps.EqualFunc(g.Headers, want.headers, slices.Equal[[]string]) {
			t.Errorf("handler %d is %+v", i, g)
		}
	}
	for user, want := range map[string][]bool{"u1": {true, true}, "u2": {false, false}, "u3": {true, false}} {
		a := &feed.Arrival{Event: model.Decode(&model.Delivery{Seq: 1, Message: 1, Body: []byte(`{"event_type":"task.failed","user_id":"` + user + `","data":{"task":{"id":"t","features":{}}}}`)})}
		if f := []bool{got[0].Filter(a), got[1].Filter(a)}; !slices.Equal(f, want) || got[2].Filter != nil {
			t.Errorf("of %s: %v, want %v", user, f, want)
		}
	}
	if p, err := runs(t, "watch"); err != nil || p.theme != "dark" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestBadFiltersAndHandlersAreRefusedWithTheirLine(t *testing.T) {
	const to = "[[forward]]\nto = \":1\"\n"
	for text, wants := range map[string][]string{
		"[filters]\n\nx = \"state:faild\"":                       {":3: ", `"faild" is not a state`},
		"[filters]\na = \"late\"\nx = \"@a\"":                    {":3: ", "cannot use another"},
		"[filters]\nx = \"state:\"":                              {":2: ", "no value"},
		"[filters]\nx = 1":                                       {":2: ", "text"},
		"[filters]\n\"a b\" = \"late\"":                          {":2: ", `"a b"`},
		"\nfilters = \"x\"":                                      {":2: ", "[filters]"},
		"[[forward]]\nname = \"x\"\n" + to:                       {":1: ", "lacks the key to"},
		to + "too = \"x\"\n" + to:                                {":3: ", `"too"`, "header-env"},
		to + "\n[[forward]]\nto = \":2\"\n\n" + to:               {":8: ", "twice"},
		to + "[[forward]]\nto = \"http://localhost:1/\"":         {":4: ", "twice"},
		"[[forward]]\nto = \"3000\"\n" + to:                      {":2: ", ":3000"},
		"[[forward]]\nto = \"http://me:hush@localhost/\"":        {":2: ", "header-env"},
		to + "filter = \"is:late\"\n[[forward]]\nto = \":2\"":    {":3: ", "[[forward]]"},
		to + "filter = \"name:x\"":                               {":3: ", "[[forward]]"},
		to + "filter = \"became:failed\"":                        {":3: ", "[[forward]]"},
		to + "filter = \"@mine\"":                                {":3: ", "@mine"},
		to + "filter = \"@mine\"\n[filters]\nmine = \"is:late\"": {":3: ", "[[forward]]"},
		to + "insecure = \"yes\"":                                {":3: ", "true or false"},
		to + "name = \"\\u001b[31m\"":                            {":3: ", "name"},
		to + "headers = { Host = \"x\" }":                        {":3: ", "Host"},
		to + "headers = { content-length = \"1\" }":              {":3: ", "Content-Length"},
		to + "headers = { svix-id = \"1\" }":                     {":3: ", "Svix-Id"},
		to + "headers = { Webhook-Signature = \"1\" }":           {":3: ", "Webhook-Signature"},
		to + "header-env = { svix-id = \"HOME\" }":               {":3: ", "Svix-Id"},
		to + "headers = { Authorization = \"hush\" }":            {":3: ", "header-env"},
		to + "headers = { X-Api-Key = \"hush\" }":                {":3: ", "header-env"},
		to + "headers = { Cookie = \"hush\" }":                   {":3: ", "header-env"},
		to + "headers = { X-Team = \"Bearer hush\" }":            {":3: ", "header-env"},
		to + "headers = [\"hush\"]":                              {":3: ", "table"},
		to + "headers = 1":                                       {":3: ", "table"},
		"[forward]\nto = \":1\"":                                 {":1: ", "[[forward]]"},
		"forward = \":1\"":                                       {":1: ", "[[forward]]"},
	} {
		configured(t, text)
		_, err := runs(t, "watch")
		if err == nil {
			t.Errorf("%q was accepted", text)
			continue
		}
		for _, want := range append(wants, "config.toml") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %q does not say %q", text, err, want)
			}
		}
		if e, ok := err.(*exit.Error); !ok || e.Code != exit.Misused || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", text, err)
		}
	}
	configured(t, to+"header-env = { Authorization = \"NOWHERE\" }\n"+to[:len(to)-2]+"2\"")
	if _, err := Forwards(); err == nil || !strings.Contains(err.Error(), "config.toml:3: ") || !strings.Contains(err.Error(), "NOWHERE") {
		t.Errorf("of a variable that is not set: %v", err)
	}
	if _, err := runs(t, "watch"); err != nil { // it matters to who forwards
		t.Error(err)
	}
}
