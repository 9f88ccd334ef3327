package llm

import "strings"

// The marks around what a model writes before its answer. Some chat templates open the
// thinking themselves, so that a text has only the end of it.
const (
	thinkStart = "<think>"
	thinkEnd   = "</think>"
)

// WithoutThinking returns the part of a solution that is meant for the reader: what
// follows the model's thinking. It is empty when the thinking did not end.
func WithoutThinking(text string) string {
	if i := strings.LastIndex(text, thinkEnd); i >= 0 {
		return text[i+len(thinkEnd):]
	}
	if strings.HasPrefix(strings.TrimSpace(text), thinkStart) {
		return ""
	}
	return text
}
