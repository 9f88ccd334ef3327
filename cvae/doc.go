// Package cvae is the conditional variational autoencoder that judges solutions:
// an encoder q(z|r,q) = N(mu, diag exp(logVar)), a decoder p(r|z,q) = N(r̂, s² I)
// and the prior N(0, I), over embeddings r of a solution and q of its question.
//
// [Train] fits a [Model] to [Data] under one of four objectives, chosen by
// [Config].Objective. With e = r − r̂, per sample,
//
//	recon  = |e|²/(2s²) + (D/2) ln s²        or |e|²/D when Config.MeanSquared
//	KL     = ½ Σⱼ (exp logVarⱼ + muⱼ² − 1 − logVarⱼ)
//	−ELBO  = recon + Beta·KL
//	loss   = ELBOWeight · mean(−ELBO) + ListwiseWeight · listwise
//
// over the samples and with the terms that the objective names:
//
//   - [Paper]: all samples, no listwise term, s² = 1, unit vectors as they are.
//     This is the paper's text taken literally.
//   - [Authors]: the settings of the authors' released code: the mean squared error
//     over the dimensions plus the KL divergence.
//   - [Contrastive]: the ELBO of right samples, and a listwise loss that tells right
//     from wrong inside a question by the score
//     sᵢ = −(exp α / 5) · ½ Σⱼ logVarᵢⱼ, a scaled negative posterior entropy.
//   - [Ratio]: the decoder also sees a class c, 1 for right and 0 for wrong. The ELBO
//     of every answered sample counts under its own class, and the listwise loss uses
//     sᵢ = (exp α / 5) · (ln p(rᵢ|muᵢ,q,1) − ln p(rᵢ|muᵢ,q,0)).
//
// The listwise loss of a question with right and wrong answered samples is
//
//	−ln ( Σ_right exp sᵢ / Σ_answered exp sᵢ )
//
// averaged over questions by their number of samples; questions that are all right
// or all wrong have none.
//
// A model also tells how unlike its training samples a solution is, whatever the
// objective: see [Model.Distances] and [Model.Familiarity].
//
// Source: "Enhancing reasoning performance of LLMs via Conditional Variational
// Autoencoder" (R-CVAE); Kingma, Welling 2014; Sohn, Lee, Yan 2015;
// Lee, Lee, Lee, Shin 2018 for the distances.
package cvae
