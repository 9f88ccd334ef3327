// Package eval measures selection rules on pools of graded candidates, in a way
// that can be believed: every accuracy comes with a 95 % interval, and every
// rule is compared, question by question, with a random candidate and with the
// majority vote.
//
// [Run] embeds the questions and candidates of one pool, asks the models once,
// applies every rule to all candidates and to the same random subsets of each
// size k, and returns a [Result], which is what result.json holds. Given the same
// questions in any order, the same seed and kind of machine, two runs give the same
// bytes.
//
// # How it counts
//
// A candidate is worth 1 if it is correct and 0 if it is incorrect. One that could not
// be graded votes like any other; if it is chosen, it is worth what the graded
// candidates with its answer are worth on average, or else what a random candidate of
// the question is, and it is counted. An answer that wins a vote is worth the mean of
// its graded candidates. Ties count at their expected value, the mean over the tied. A
// majority vote in which nobody has an answer is worth 0, and so is any other choice of
// a candidate without an answer that is graded incorrect.
//
// At size k a rule is worth what it is over a random subset of k candidates. For a
// random candidate, the majority vote and the oracle that is computed exactly, see
// package stats. For any other rule it is the exact majority plus the mean of rule −
// majority over random subsets, so that the chance of which subsets were drawn mostly
// cancels. The subsets depend on the seed, the question's id and k.
//
// Intervals and p-values are those of package stats: of one paired bootstrap over
// questions, in which the questions of one id are drawn together.
package eval
