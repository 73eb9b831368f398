package aspect

// Undone reports of an error of a call whether the call certainly changed
// nothing: it never went out, or was refused. Otherwise an endpoint that was to
// be created may exist.
func Undone(err error) bool { return certainlyUndone(err) }
