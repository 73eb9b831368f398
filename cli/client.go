package cli

import (
	"net/http"
	"os"

	"aspectop/aspect"
)

// The environment variables of Aspect's API.
const (
	keyVariable = "ASPECT_API_KEY"
	urlVariable = "ASPECT_URL"
)

// apiKey is the key of Aspect's API, empty if there is none.
func apiKey() aspect.Credential { return aspect.NewCredential(os.Getenv(keyVariable)) }

// newClient returns a client of Aspect's API, nil if there is no key.
func newClient() (*aspect.Client, error) { return newClientOver(nil) }

// newClientOver is newClient with a transport; nil is the usual one.
func newClientOver(t http.RoundTripper) (*aspect.Client, error) {
	key := apiKey()
	if key.Empty() {
		return nil, nil
	}
	config := aspect.Config{BaseURL: os.Getenv(urlVariable), Key: key, UserAgent: "aspectop/" + version()}
	if t != nil {
		config.HTTP = &http.Client{Transport: t}
	}
	c, err := aspect.New(config)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return c, nil
}
