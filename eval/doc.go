// Package eval measures selection rules on pools of graded candidates, in a way
// that can be believed: every accuracy comes with a 95 % interval, and every
// rule is compared, question by question, with a random candidate and with the
// majority vote.
//
// [Run] embeds the questions and candidates of one pool, asks the models once,
// applies every rule to all candidates and to the same random subsets of each
// size k, and returns a [Result], which is what result.json holds. [WriteText]
// shows it to people. Given the same inputs, seed and kind of machine, two runs
// give the same bytes.
//
// # How it counts
//
// A rule's value for a question is the share of right candidates among those tied
// for the win, so that a tie counts at its expected value. A candidate counts as
// right if its verdict says so; one without a verdict is left out and counted. A
// majority vote in which nobody has an answer is wrong.
//
// Intervals are percentiles of the paired bootstrap over questions: all rules see
// the same resampled questions, and a difference is resampled as a difference.
// The p-value against the majority is McNemar's exact test on the deterministic
// choices of service, where the earliest of tied candidates wins. Against mean@1,
// which is not a choice but an expected value, it is a two-sided sign-flip
// permutation test of the paired differences; the same test is used by size k.
package eval
