// Package bestof is the engine behind "the best of k": it samples candidates in rounds,
// extracts their answers, groups them, stops early, lets a rule choose, and falls back
// to the first that finished when the rule cannot. It knows no HTTP and no server:
// data in, data out, arrivals on a channel.
//
// One goroutine, that of the caller of [Engine.Run], owns a run; a second one lets the rule
// prepare candidates while others are being sampled. A panic of a grader
// costs its candidate, a panic of a rule the selection; both are told to a hook with
// their stack, and no goroutine outlives the run.
package bestof
