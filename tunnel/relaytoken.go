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

// tokenFile stores the relay's token, so that the public URL stays the same between
// runs. Anyone who knows the token can read what was sent there.
type tokenFile struct{ dir, path string }

type keptToken struct {
	Token string `json:"token"`
}

func newTokenFile(dir string) tokenFile { return tokenFile{dir, filepath.Join(dir, "relay.json")} }

// tokenForm is c_ and base62. Svix Play rejects tokens without c_.
var tokenForm = regexp.MustCompile(`^c_[0-9A-Za-z]{16,64}$`)

// load returns the stored token or creates one. It replaces an invalid file.
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

// replace creates and stores a new token. It returns the token even if it cannot be
// stored.
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

// newToken has the format of Svix's own program: 27 characters.
func newToken() string { return "c_" + (rand.Text() + rand.Text())[:27] }
