// Package gateway serves the best of k completions over the OpenAI HTTP protocol. It
// stands between a client and a language model: it draws k candidates of a request,
// lets a selection rule choose, and answers with a complete OpenAI body.
//
// A request passes through one file after another: routes and limits (server.go),
// keys and rates (auth.go), the bounded queue (queue.go), reading (request.go), then
// either straight to the upstream (proxy.go) or draw (draw.go), choose (choose.go) and
// answer (answer.go, stream.go). Trouble with the selection never becomes a 5xx: the
// answer is the first finished candidate and says so.
//
// Prompts, completions and keys are never logged.
package gateway
