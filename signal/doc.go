// Package signal reads what a vector cannot show off the texts of candidates: the
// arithmetic they write, the numbers of the question they use, what they agree on.
package signal
