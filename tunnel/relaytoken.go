package tunnel

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"aspectop/private"
)

// tokenFile keeps the relay's token, by which the public address stays the same
// from one run to the next. Whoever knows it can read what was sent there.
type tokenFile struct{ dir, path string }

type keptToken struct {
	Token string `json:"token"`
}

func newTokenFile(dir string) tokenFile { return tokenFile{dir, filepath.Join(dir, "relay.json")} }

// tokenForm is c_ and base62. With c_ in front, Svix Play keeps a history;
// without it, it refuses the address.
var tokenForm = regexp.MustCompile(`^c_[0-9A-Za-z]{16,64}$`)

// load returns the kept token, or makes and keeps one. A file that holds none
// is replaced.
func (f tokenFile) load() (string, error) {
	text, err := os.ReadFile(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f.replace()
	case err != nil:
		return "", fmt.Errorf("cannot read the relay's token: %w", err)
	}
	var kept keptToken
	if json.Unmarshal(text, &kept) != nil || !tokenForm.MatchString(kept.Token) {
		return f.replace()
	}
	return kept.Token, nil
}

// replace makes a new token and keeps it. There is a token also if it could not
// be kept.
func (f tokenFile) replace() (token string, err error) {
	token = newToken()
	text, err := json.Marshal(keptToken{token})
	if err == nil {
		err = private.MakeFolder(f.dir)
	}
	if err == nil {
		err = private.Replace(f.path, f.path+".tmp", text)
	}
	if err != nil {
		return token, fmt.Errorf("cannot save the relay's token: %w", err)
	}
	return token, nil
}

// newToken has the form of those that Svix's own program makes: 27 characters.
func newToken() string { return "c_" + (rand.Text() + rand.Text())[:27] }
