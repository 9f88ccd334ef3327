// Package selector chooses one of the solutions that a language model wrote for a
// question. It holds every selection rule of the project, by name:
//
//	entropy, norm, kl, …     the candidate with the best score
//	majority                 the most frequent answer
//	vote:<score>             the answer with the largest sum of weights
//	tiebreak:<score>         the most frequent answer, ties broken by the score
//	first, random, oracle    what the others are compared with
//
// [Parse] turns a name into a [Rule] and [Rules] lists them all. Work is done in
// two layers. [Gather] embeds the texts of one question, asks the models once and
// returns the [Evidence]: a column for each score, and the classes of equal
// answers. [Rule.Choose] is a pure function of the evidence and of a subset of
// the candidates, so that an evaluation can average over thousands of subsets.
// [New] puts the two behind the interface [rcvae.Selector] for service, with a
// reason that can be shown to people.
//
// A selection sees the question's text and never the reference answer.
package selector
