// Package aspect is the client of Aspect's REST API, and it holds the lease of
// the webhook endpoint that aspectop registers there.
//
// The [Client] makes the calls that Aspect documents: webhook endpoints,
// messages, delivery attempts, tasks and assets. Several answers have no
// published shape, so they are read leniently and every item keeps its JSON as
// it came. The [Registrar] creates an endpoint in such a way that a crash at
// any moment leaves a note on disk from which the next start cleans up.
//
// Nothing here runs by itself: without a call, nothing is asked of an account
// and nothing in it is changed. The package knows neither the journal nor the
// screen; what a task's JSON means is the business of package model.
package aspect
