// Package demo stands in for Aspect: it lets tasks live believable lives, tells
// them as events, signs these as Svix does and posts them over HTTP to any
// receiver, with the troubles that real delivery has (repeats, late and swapped
// events, forgeries).
//
// It decides what is sent and when. It neither receives nor verifies, and knows
// nothing of what the receiver makes of it beyond the status of the answer.
//
// What is told depends on the seed alone: the same seed gives the same tasks,
// ids, states and planned instants, counted from the start. Only the start
// itself is read from the clock.
//
// Which tasks come, and what happens to them, is a [Scenario]: the built-in mix,
// which is drawn from the seed and may go on for ever, or a file. The format of
// these files is described in scenarios/README.md.
package demo
