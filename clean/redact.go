package clean

import "strings"

// Redacted stands in place of what is redacted.
const Redacted = "[redacted]"

// IsCredential reports whether a header holds a credential, by its name.
func IsCredential(name string) bool {
	lower := strings.ToLower(name)
	for _, part := range []string{"authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "credential", "jwt", "assertion"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}

// RedactHeaders returns the headers with credentials redacted. The other values are
// shared.
func RedactHeaders(h map[string][]string) map[string][]string {
	redacted := make(map[string][]string, len(h))
	for name, values := range h {
		if IsCredential(name) {
			values = []string{Redacted}
		}
		redacted[name] = values
	}
	return redacted
}
