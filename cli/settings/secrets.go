package settings

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	"aspectop/aspect"
	"aspectop/cli/exit"
	"aspectop/receiver"
)

// Environment variables without a flag. Secrets must not be in a command line.
const (
	SecretVariable = "ASPECT_WEBHOOK_SECRET" // of the endpoint
	KeyVariable    = "ASPECT_API_KEY"
	URLVariable    = "ASPECT_URL"     // of the API
	DebugVariable  = "ASPECTOP_DEBUG" // names the file of the debug log
)

// APIKey is the key of Aspect's API, empty if there is none.
func APIKey() aspect.Credential { return aspect.NewCredential(os.Getenv(KeyVariable)) }

// ErrNoSecret means that no secret is configured.
var ErrNoSecret = errors.New(`no webhook secret is set, so deliveries cannot be verified
  copy the signing secret (whsec_...) of your endpoint from Aspect's dashboard, then run:
  ` + SecretVariable + `=whsec_... aspectop watch
to try aspectop without any setup, run: aspectop demo`)

// SecretSource is where [ReadSecrets] finds them.
func SecretSource(file string) string { return cmp.Or(file, SecretVariable) }

// ReadSecrets reads the secrets from a file or, if file is empty, from the
// environment. Its errors never contain a secret.
func ReadSecrets(file string) ([]receiver.Secret, error) {
	place, text := "the environment variable "+SecretVariable, os.Getenv(SecretVariable)
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, exit.Usage("cannot read the secrets: %w", err)
		}
		place, text = "the file "+file, string(b)
	} else if _, set := os.LookupEnv(SecretVariable); !set {
		return nil, exit.Usage("%w", ErrNoSecret)
	}
	if strings.TrimSpace(text) == "" {
		return nil, exit.Usage("%s is empty; it should contain a signing secret such as whsec_...", place)
	}
	secrets, err := receiver.ParseSecrets(text)
	if err != nil {
		return nil, exit.Usage("%s: %w", place, err)
	}
	return secrets, nil
}

// SigningSecret reads the secret to sign with from an environment variable: the
// first, if there are several.
func SigningSecret(variable string) (receiver.Secret, error) {
	text := os.Getenv(variable)
	if strings.TrimSpace(text) == "" {
		return receiver.Secret{}, exit.Usage("the environment variable %s contains no signing secret; set it to the receiver's (whsec_...), or name another variable with --secret-env", variable)
	}
	secrets, err := receiver.ParseSecrets(text)
	if err != nil {
		return receiver.Secret{}, exit.Usage("the environment variable %s: %w", variable, err)
	}
	if warning := secrets[0].Warning(); warning != "" {
		fmt.Fprintln(os.Stderr, "aspectop: "+warning)
	}
	return secrets[0], nil
}
