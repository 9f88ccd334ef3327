// Package signal reads what a vector cannot show off the texts of candidates: the
// arithmetic they write, how plausible their answers are, which numbers of the question
// they use, what they agree on, and what their log-probabilities say.
//
// [Compute] returns φ(Q, R), one row per candidate; [Columns] names its columns.
// [Equations] returns the equations that were read in one text, with the place, the
// words and the verdict of each, and so explains the columns of arithmetic.
//
// A side that is not read as a whole is not judged, and where a column does not apply it
// is NaN: a text with nothing to check is not a text without errors.
package signal
