package reproduce

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

// Differences says where the protocol of a run differs from the paper's text or from
// the code that its authors released.
func Differences(cutGold, chat bool) []string {
	list := []string{
		"Greedy: the released code samples at temperature 1 what it calls greedy. Both are here; the authors' is in the rows of the code.",
		"Rule: the paper chooses the lowest posterior entropy, the released code the smallest ‖μ‖, with the entropy rule commented out. The rows of the text have the first, those of the code the second.",
		"Top-k and top-p: a figure here is the accuracy of one sample (mean@1), the mean over all samples of a question.",
		"The paper has the same greedy and top-k figures for two language models on GSM8K (23.4 and 37.2).",
		"Exact match: GSM8K strict counts an answer behind #### alone, which a prompt that asks for a box seldom gets; MATH strict compares normalised texts. The honest graders find and compare answers as docs/grading.md says.",
	}
	if cutGold {
		list = append(list, "Reference answers of MATH are cut at the first closing brace in the strict rows, as in the released code: no answer with an argument in braces is right.")
	} else {
		list = append(list, "Reference answers of MATH are whole; the released code cuts them at the first closing brace (--gold authors).")
	}
	if chat {
		list = append(list, "Prompts go through the chat template; the released code has none (--prompt authors).")
	} else {
		list = append(list, "Prompts are raw completions without a chat template, as in the released code.")
	}
	return list
}
