// Package selector chooses one of the solutions that a language model wrote for a
// question. A [Rule] is a [Score] and what becomes of it, an [Aggregate]:
//
//	entropy, norm, kl, …     the candidate with the best score
//	vote:<score>             the answer with the largest sum of weights exp(τ·score)
//	tiebreak:<score>         the most frequent answer, ties broken by the score
//	majority                 the most frequent answer
//	first, random, oracle    what the others are compared with
//
// [Rules] lists the rules of the project, and [Parse] finds one by name. Rules and
// scores are plain values: a program may make its own.
//
// A choice is made in three steps. [Prepare] does what is done once per question: it
// embeds the texts, groups the answers and asks the models. [Prepared.Evidence]
// returns what is known of some of the candidates, so that an evaluation can look at
// many subsets. [Rule.Choose] is a pure function of that evidence. [New] puts the
// three behind the interface [rcvae.Selector], with a reason that can be shown to
// people.
//
// A selection sees the question's text and never the reference answer or a verdict;
// only the rule "oracle", which is for evaluation, does.
package selector
