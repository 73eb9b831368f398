// Package printer renders events where there is no screen: sentences for
// people, NDJSON for programs. It folds events into a board of its own and
// writes lines; it knows neither the size of a terminal nor how events came.
//
// [Clean] is here too, because every line that a person reads passes it.
package printer
