// Package reproduce is the protocol of the R-CVAE paper's Table 1, made so that it can
// be repeated on any language model:
//
//	questions → samples of four arms → models → rules, graded in two ways → the table
//
// A [Suite] is one of the two sets of test questions, an [Arm] a way of sampling: greedy
// at temperature 0, what the released code calls greedy (temperature 1), top-k 32 and
// top-p 0.9. [Training] fits the rules as published on reference solutions, and this
// project's on graded samples. [Measure] applies every rule to the same samples, and
// [NewTable] puts the accuracies beside the paper's own.
//
// The paper's text and the code that its authors released differ, and both differ from
// what this project holds to be right; [Differences] lists where.
//
// Source: "Enhancing reasoning performance of LLMs via Conditional Variational
// Autoencoder" (R-CVAE).
package reproduce
