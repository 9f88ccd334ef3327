// Package rcvae picks the right solution among several that a language model
// wrote for the same question.
//
// A conditional variational autoencoder (CVAE) is trained on embeddings of
// (question Q, solution R) pairs. Its encoder q(z|R,Q) maps a pair to a Gaussian
// over a latent reasoning pattern z, its decoder p(R|z,Q) rebuilds the solution's
// embedding, and the prior over z is N(0, I). At test time each candidate is
// embedded and encoded, and a selection rule (in the paper: the lowest posterior
// entropy) chooses one.
//
// This package holds the vocabulary that every other package shares: [Problem], [Question],
// [Candidate], [Embedding], [Posterior], [Selection], and the small interfaces
// [Embedder], [Model], [Selector] and [Grader].
// It imports nothing but the standard library.
//
// Source: "Enhancing reasoning performance of LLMs via Conditional Variational
// Autoencoder" (R-CVAE).
package rcvae
