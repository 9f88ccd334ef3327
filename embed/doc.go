// Package embed keeps embeddings between runs. [Cache] puts a SQLite file in front
// of any embedder; the embedders themselves live in the packages below this one,
// each named after what it adapts.
package embed
