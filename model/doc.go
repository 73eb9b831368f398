// Package model holds what aspectop knows about Aspect: deliveries and the
// events inside them, tasks, features and their states, the board that folds
// events into tasks, filters and statistics.
//
// It is pure. It does no I/O, reads no clock, starts no goroutine and knows no
// terminal; whatever depends on the present moment takes that moment as an
// argument. Apart from [Decode] and [StatusLog], nothing in it may be used by two
// goroutines at once.
package model
