package reproduce

import "fmt"

// Published is a line of the paper's Table 1, in percent.
type Published struct {
	LLM, Suite                string
	Greedy, TopK, TopP, RCVAE float64
}

// PaperTable returns the paper's own figures.
func PaperTable() []Published {
	return []Published{
		{"SmolLM2-1.7B", GSM8K, 23.4, 37.2, 40.7, 43.2},
		{"Llama-3.2-1B", GSM8K, 23.4, 37.2, 39.0, 41.9},
		{"SmolLM2-1.7B", MATH, 9.9, 13.6, 15.2, 18.4},
		{"Llama-3.2-1B", MATH, 10.8, 18.2, 19.8, 21.7},
	}
}

// Setting is what a run chose where the protocol leaves or makes a choice.
type Setting struct {
	LLM      string
	Embedder string // its name
	Suites   []string
	CutGold  bool // see [Match]
	Chat     bool // prompts go through the chat template
	Gold     int  // reference solutions that the published rules were trained on
}

// Differences says where the protocol of a run differs from the paper's text or from
// the code that its authors released.
func Differences(s Setting) []string {
	list := []string{
		"Greedy: the released code samples at temperature 1 what it calls greedy. Both are here; the authors' is in the rows of the code.",
		"Rule: the paper chooses the lowest posterior entropy, the released code the smallest ‖μ‖, with the entropy rule commented out. The rows of the text have the first, those of the code the second.",
		"Top-k and top-p: a figure here is the accuracy of one sample (mean@1), the mean over all samples of a question. All rules choose among the top-p samples.",
		"The paper has the same greedy and top-k figures for two language models on GSM8K (23.4 and 37.2).",
		fmt.Sprintf("Embedder: the paper's is jina-embeddings-v3, here it is %s (--embedder).", s.Embedder),
		"Exact match: GSM8K strict counts an answer behind #### alone, which a prompt that asks for a box seldom gets; MATH strict compares normalised texts. The honest graders find and compare answers as docs/grading.md says.",
	}
	choose := func(chosen bool, yes, no string) {
		if !chosen {
			yes = no
		}
		list = append(list, yes)
	}
	choose(s.CutGold, "Reference answers of MATH are cut at the first closing brace in the strict rows, as in the released code: no answer with an argument in braces is right.",
		"Reference answers of MATH are whole; the released code cuts them at the first closing brace (--gold authors).")
	choose(s.Chat, "Prompts go through the chat template; the released code has none (--prompt authors).",
		"Prompts are raw completions without a chat template, as in the released code.")
	choose(s.Gold > 0, fmt.Sprintf("Training: the published rules learn from %d reference solutions of all sets together. With several seeds the scores are averaged, and the range over single seeds stands behind the interval.", s.Gold),
		"Training: there were no reference solutions, so the published rules are left out.")
	return list
}
