package check

import "time"

// Hurry has an answer called slow, and given up, after less time.
func (o *Options) Hurry(slow, patience time.Duration) { o.slow, o.patience = slow, patience }
