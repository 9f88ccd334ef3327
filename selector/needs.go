package selector

import "strings"

// Needs is a set of things that a rule cannot do without.
type Needs uint16

// The things that a rule may need.
const (
	NeedEmbeddings  Needs = 1 << iota // an embedder
	NeedModel                         // a trained model, and what it reads: an embedder, unless it reads signals alone
	NeedLikelihoods                   // the likelihoods of a model's decoder, which cost more than its posteriors
	NeedClasses                       // a model whose decoder knows correct and incorrect: objective "ratio"
	NeedSignals                       // what can be read off the texts; always there
	NeedSignalModel                   // a model that reads signals alone, see [Sources].Signals
	NeedLogProbs                      // log-probabilities of the candidates' tokens
	NeedAnswers                       // extracted answers, grouped by the grader
	NeedVerdicts                      // graded candidates: evaluation only
)

const needLikelihood = NeedModel | NeedLikelihoods

// needWords are the names of the members, lowest bit first.
var needWords = [...]string{"embeddings", "model", "likelihoods", "classes", "signals", "a model of signals", "log-probabilities", "answers", "verdicts"}

// Has reports whether every member of x is in n.
func (n Needs) Has(x Needs) bool { return n&x == x }

// String returns the members separated by commas, or "nothing".
func (n Needs) String() string {
	var words []string
	for bit, word := range needWords {
		if n.Has(1 << bit) {
			words = append(words, word)
		}
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}
