// Package edge is the border of an HTTP service: what every request passes before it
// costs anything. It knows nothing of what the service does.
//
// Each request has a deadline in each of its phases: header, body, turn in the queue,
// every write of the answer. The Host and the Origin are checked, so that a web page
// cannot use a service on its reader's machine; keys and rates are checked before the
// body is read; the body is read, and its bytes are charged to a budget, before the
// request waits for its turn, so that a client that leaves gives up its place. What
// fails is answered as the error envelope of the OpenAI API in one place; an answer
// that has begun and cannot be finished is cut off, never shortened.
package edge
