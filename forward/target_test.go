package forward

import (
	"strings"
	"testing"
)

func TestURLsOfHandlers(t *testing.T) {
	for text, want := range map[string]string{
		"http://localhost:3000":          "http://localhost:3000/",
		"https://hooks.example.com/a?b#": "https://hooks.example.com/a?b",
		"HTTP://host/x#part":             "http://host/x",
		"localhost:3000/path":            "http://localhost:3000/path",
		"localhost/path":                 "http://localhost/path",
		"127.0.0.1:3000?x=1":             "http://127.0.0.1:3000/?x=1",
		"[::1]:3000/x":                   "http://[::1]:3000/x",
		"build-7.lan:80":                 "http://build-7.lan:80/",
		":3000":                          "http://localhost:3000/",
		":3000/a%2Fb?to=me@host":         "http://localhost:3000/a%2Fb?to=me@host",
	} {
		u, err := ParseURL(text)
		if err != nil || u.String() != want {
			t.Errorf("%q became %v (%v), not %s", text, u, err, want)
		}
	}
}

func TestAddressesOfOneHandlerHaveOneKey(t *testing.T) {
	of := map[string]string{}
	for _, same := range [][]string{
		{"http://localhost/", "http://LOCALHOST/", "http://localhost:80", "http://localhost:/", "HTTP://LocalHost:80/#x", "localhost"},
		{"https://h/a~b/%2F?q=%C3%A9", "https://H:443/a%7eb/%2f?q=%c3%a9", "https://h/x/../a~b/./%2F?q=%C3%A9"},
		{"http://[::1]/x", "http://[::1]:80/x"},
		{"http://h:443/"}, {"https://h:80/"}, {"https://h/"}, {"http://h/"}, {"http://h/A"}, {"http://h/a"}, {"http://h/a/"},
		{"http://h/a//b"}, {"http://h/a/b"}, {"http://h/a%2Fb"}, {"http://h/a?x"}, {"http://h/a?X"},
	} {
		first := Target{URL: same[0]}
		if other := of[first.Key()]; other != "" || first.Key() == "" {
			t.Errorf("%s and %q have the key %q", same[0], other, first.Key())
		}
		of[first.Key()] = same[0]
		for _, text := range same {
			if target := (Target{URL: text}); target.Key() != first.Key() {
				t.Errorf("%s has the key %s, and %s has %s", text, target.Key(), same[0], first.Key())
			}
		}
	}
}

func TestWhatIsNoHandlerIsRefusedWithoutBeingQuoted(t *testing.T) {
	for text, hint := range map[string]string{
		"": "http://", "ftp://host/": "http://", "ftp:3000x": "http://", "//host/": "http://", "host/path": "http://", "http://": "no host", "http://:80/": "no host",
		"3000": ":3000", "3000/path": ":3000", ":s3cr3t": "http://", ":99999": "65535", "http://host:0/": "65535", "http://host:s3cr3t/": "http://",
		"http://me:s3cr3t@host/": "header-env", "http://s3cr3t@host/": "header-env", "ftp://s3cr3t@host/": "header-env", "me:s3cr3t@host:3000": "header-env",
		"http://s3cr3t:%zz@host/": "header-env", "http://me:s3cr3t@[::1/": "header-env", "http://me:s3/cr3t@host/": "http://", "http:me:s3cr3t@host": "header-env",
	} {
		u, err := ParseURL(text)
		if err == nil {
			t.Errorf("%q is taken for %s", text, u)
		} else if strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "cr3t") || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
