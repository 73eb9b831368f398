package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"aspectop/receiver"
)

// secretVariable names the environment variable that holds the secrets.
const secretVariable = "ASPECT_WEBHOOK_SECRET"

// errNothingToWatch is what watch says when nothing was configured.
var errNothingToWatch = errors.New(`no webhook secret is set, so no delivery could be verified
  copy the signing secret (whsec_...) of your endpoint from the Aspect dashboard, then run:
  ` + secretVariable + `=whsec_... aspectop watch
to see the whole program with nothing configured, run: aspectop demo`)

// readSecrets takes the secrets from a file if one is named, else from the
// environment. Its errors name the place, never the content.
func readSecrets(file string) ([]receiver.Secret, error) {
	place, text := "the environment variable "+secretVariable, os.Getenv(secretVariable)
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, usageError("cannot read the secrets: %w", err)
		}
		place, text = "the file "+file, string(b)
	} else if _, set := os.LookupEnv(secretVariable); !set {
		return nil, &exitError{exitUsage, errNothingToWatch}
	}
	if strings.TrimSpace(text) == "" {
		return nil, usageError("%s is empty; it should hold a signing secret such as whsec_...", place)
	}
	secrets, err := receiver.ParseSecrets(text)
	if err != nil {
		return nil, &exitError{exitUsage, fmt.Errorf("%s: %w", place, err)}
	}
	return secrets, nil
}

// signingSecret is the secret in an environment variable to sign with: the first
// of several.
func signingSecret(variable string) (receiver.Secret, error) {
	text := os.Getenv(variable)
	if strings.TrimSpace(text) == "" {
		return receiver.Secret{}, usageError("the environment variable %s holds no signing secret; set it to the receiver's (whsec_...), or name another with --secret-env", variable)
	}
	secrets, err := receiver.ParseSecrets(text)
	if err != nil {
		return receiver.Secret{}, usageError("the environment variable %s: %w", variable, err)
	}
	return secrets[0], nil
}
