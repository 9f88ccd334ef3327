package selector

import "strings"

// Needs is a set of things that a rule cannot do without.
type Needs uint16

// The things that a rule may need.
const (
	NeedEmbeddings  Needs = 1 << iota // an embedder
	NeedModel                         // a trained model
	NeedLikelihoods                   // a model with a decoder, see [rcvae.LikelihoodModel]
	NeedRatio                         // a model trained with the objective "ratio"
	NeedLogProbs                      // log-probabilities of the candidates' tokens
	NeedAnswers                       // extracted answers
	NeedVerdicts                      // graded candidates: evaluation only

	// These cost time and nothing else, so they have no names for people.
	needSimilarity // similarities of all pairs of candidates
	needLength     // lengths of the texts
)

// needWords are the names of the exported members, lowest bit first.
var needWords = [...]string{"embeddings", "model", "likelihoods", "classes", "log-probabilities", "answers", "verdicts"}

// Has reports whether every member of x is in n.
func (n Needs) Has(x Needs) bool { return n&x == x }

// Words returns the members by name, for help texts.
func (n Needs) Words() []string {
	var words []string
	for bit, word := range needWords {
		if n.Has(1 << bit) {
			words = append(words, word)
		}
	}
	return words
}

// String returns the members separated by commas, or "nothing".
func (n Needs) String() string {
	words := n.Words()
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

// Named returns the members that people can be told of: not what only costs time.
func (n Needs) Named() Needs { return n & (1<<len(needWords) - 1) }
