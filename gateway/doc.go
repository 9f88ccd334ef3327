// Package gateway serves the best of k completions over the OpenAI HTTP protocol. It
// stands between a client and a language model: it samples k candidates of a request,
// lets a selection rule choose, and answers with a complete OpenAI body.
//
// What every request passes is package edge, how candidates are sampled and chosen is
// package bestof; this package is the codec between them. A request is read
// (request.go, prompts.go) and then goes straight to the upstream (proxy.go), or through
// the engine (draw.go) into an answer (answer.go) or a stream (stream.go, chunks.go).
// Trouble with the selection never becomes a 5xx: the answer is the first finished
// candidate and says so.
//
// Prompts, completions and keys are never logged.
package gateway
