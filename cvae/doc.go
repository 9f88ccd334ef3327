// Package cvae is the conditional variational autoencoder that scores solutions:
// an encoder q(z|R_e,q) = N(mu, diag exp(logVar)), a decoder p(R_e|z,q) = N(R̂, s² I)
// and the prior N(0, I), over the embedding q of a question and R_e = [r; φ] of a
// solution: the embedding r of its text (D) with signal columns φ (S) beside it.
//
// [Train] fits a [Model] to embedded questions with graded candidates, under an
// [Objective]. With e = R_e − R̂ over the n elements of R_e that are present, per
// candidate,
//
//	recon  = |e|²/(2s²) + (n/2) ln s²        or |e|²/(D+S) when Config.MeanSquared
//	KL     = ½ Σⱼ (exp logVarⱼ + muⱼ² − 1 − logVarⱼ)
//	−ELBO  = recon + Beta·KL
//	loss   = ELBOWeight · mean(−ELBO) + ListwiseWeight · listwise
//
// over the candidates and with the terms that the objective names:
//
//   - [Paper]: the correct candidates, no listwise term, s² = 1, unit vectors as they
//     are. This is the paper's text taken literally.
//   - [Authors]: the settings of the authors' released code: the mean squared error
//     plus the KL divergence.
//   - [Contrastive]: the ELBO of correct candidates, and a listwise loss that tells
//     correct from incorrect inside a question by the score
//     sᵢ = −(exp α / 5) · ½ Σⱼ logVarᵢⱼ, a scaled negative posterior entropy.
//   - [Ratio]: the decoder also sees a class c, 1 for correct and 0 for incorrect. The
//     ELBO of every voting candidate counts under its own class, and the listwise loss
//     uses sᵢ = (exp α / 5) · (ln p(R_eᵢ|muᵢ,q,1) − ln p(R_eᵢ|muᵢ,q,0)).
//
// The listwise loss of a question with correct and incorrect voting candidates is
//
//	−ln ( Σ_correct exp sᵢ / Σ_voting exp sᵢ )
//
// averaged over questions by their number of candidates; questions that are all correct
// or all incorrect have none. Each objective is a file, objective_….go; a user of the
// package gives one of their own in [Options].
//
// A column of φ is standardised over the training candidates where it applies. Where it
// does not (NaN), it enters as 0 with an indicator of 1, and the decoder need not
// rebuild it. In training, whole groups of columns are dropped at random in the same
// way, so that the model knows what to do without them.
//
// A model also tells out-of-distribution solutions from those like its training
// candidates: see [rcvae.Inference].InDistribution and docs/model.md.
//
// Source: "Enhancing reasoning performance of LLMs via Conditional Variational
// Autoencoder" (R-CVAE); Kingma, Welling 2014; Sohn, Lee, Yan 2015;
// Lee, Lee, Lee, Shin 2018 for the distances.
package cvae
