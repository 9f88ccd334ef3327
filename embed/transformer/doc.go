// Package transformer runs BERT encoders in float32 and pools their outputs into
// unit-length embeddings of texts.
//
// The batch is ragged: the tokens of all its texts are the rows of one matrix, so
// the dense layers are single matrix products and nothing is spent on padding.
// Each worker encodes batches of its own, one after the other.
//
// Source: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers
// for Language Understanding" (2019); mean pooling as in Reimers and Gurevych,
// "Sentence-BERT" (2019).
package transformer
