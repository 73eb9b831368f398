package cli

import (
	"os"

	"aspectop/aspect"
)

// The environment variables of Aspect's API.
const (
	keyVariable = "ASPECT_API_KEY"
	urlVariable = "ASPECT_URL"
)

// newClient returns a client of Aspect's API, nil if there is no key.
func newClient() (*aspect.Client, error) {
	key := os.Getenv(keyVariable)
	if key == "" {
		return nil, nil
	}
	c, err := aspect.New(aspect.Config{
		BaseURL: os.Getenv(urlVariable), Key: aspect.NewCredential(key), UserAgent: "aspectop/" + version(),
	})
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return c, nil
}
