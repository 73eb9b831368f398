package sqlite

// mayWrite cannot be told here without trying.
func mayWrite(string) error { return nil }
