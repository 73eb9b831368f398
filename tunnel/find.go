package tunnel

// FindProgram returns the path of cloudflared: of the one named or, without a
// name, of the first on PATH. Its error says how to install it on this system.
func FindProgram(name string) (string, error) { return findProgram(name) }
