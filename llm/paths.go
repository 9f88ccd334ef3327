package llm

import (
	"net/url"
	"strings"
)

// Paths of the API: the two kinds of completions, and what [Upstream.Forward] also passes on.
const (
	ChatPath       = "/chat/completions"
	CompletionPath = "/completions"
	EmbeddingPath  = "/embeddings"
	ModelsPath     = "/models" // of the list; a model's own path has its name behind it
)

// AllowedPath reports whether a path is one that an upstream is asked for: the two kinds
// of completions, embeddings, the list of models, and one model by its name. A name has no
// empty segment, no dots alone, and no escape in it that a server could read twice: it
// would reach other paths of the server with the upstream's key.
func AllowedPath(path string) bool {
	if path == ChatPath || path == CompletionPath || path == EmbeddingPath || path == ModelsPath {
		return true
	}
	name, ok := strings.CutPrefix(path, ModelsPath+"/")
	if !ok {
		return false
	}
	for segment := range strings.SplitSeq(name, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil || plain == "" || plain == "." || plain == ".." || strings.ContainsAny(plain, `/\%?#`) || strings.ContainsFunc(plain, isControl) {
			return false
		}
	}
	return true
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
