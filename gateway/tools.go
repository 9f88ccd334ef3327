package gateway

import (
	"strconv"
	"strings"

	"rcvae/llm"
)

// callsOf returns one text for the tool calls of a choice, the same for the same
// tools with the same arguments in the same order, and "" when it calls none.
func callsOf(choice llm.Choice) string {
	var key strings.Builder
	for _, c := range choice.ToolCalls {
		key.WriteString(strconv.Quote(c.Does()))
	}
	return key.String()
}

// kindOf returns the indices of the choices of the majority kind: those that call
// tools, or the texts. With as many of both it is the kind of the first choice.
func kindOf(choices []llm.Choice) (indices []int, tools bool) {
	var text, calls []int
	for i, choice := range choices {
		if len(choice.ToolCalls) > 0 {
			calls = append(calls, i)
		} else {
			text = append(text, i)
		}
	}
	tools = len(calls) > len(text) || len(calls) == len(text) && calls[0] == 0
	if tools {
		return calls, true
	}
	return text, false
}

// classesOfCalls returns the class of each of the chosen indices by what it calls.
func classesOfCalls(choices []llm.Choice, indices []int) []int {
	classes := make([]int, len(indices))
	seen := map[string]int{}
	for a, i := range indices {
		key := callsOf(choices[i])
		class, ok := seen[key]
		if !ok {
			class = len(seen)
			seen[key] = class
		}
		classes[a] = class
	}
	return classes
}
