package grade

import (
	"strings"

	"rcvae/internal/boxed"
)

// Extraction is a final answer and where it was found.
type Extraction struct {
	Answer string // empty when there is none
	From   string // one of [Places]; empty when there is none
}

// Places returns the names of the places where answers are found, the strongest first.
func Places() []string {
	return []string{"tag", "hash", "field", "boxed", "phrase", "bare", "formula", "number", "word"}
}

// Extract returns the final answer of a solution and where it stands, for kinds of
// GSM8K as a plain number such as "72" or "0.5". It finds none in a text of more than
// 1 MiB.
func (g *Grader) Extract(solution string) Extraction {
	if len(solution) > maxText {
		return Extraction{}
	}
	text := clean(solution)
	if g.kind == "gsm8k-strict" {
		answer, _ := hashAnswer(text)
		return found(answer, "hash")
	}
	if inner, ok := tagged(text); ok {
		if e := g.place(inner); e.Answer != "" {
			return Extraction{e.Answer, "tag"}
		}
		return found(g.read(inner), "tag")
	}
	return g.place(text)
}

// read returns the answer that a short text is.
func (g *Grader) read(text string) string {
	if !g.readsNumbers() {
		return strings.TrimSpace(text)
	}
	n, ok := numberIn(text)
	if !ok {
		return ""
	}
	return n.String()
}

func (g *Grader) place(text string) Extraction {
	if !g.readsNumbers() {
		return placeMATH(text)
	}
	return placeGSM8K(text)
}

// placeGSM8K finds a number in the first of these places that has one: behind
// "####", in an answer field of JSON (unless the text closes with a phrase), in the
// last box, in the last phrase, in bold type, and at last anywhere. A box with words in
// it ends the search.
func placeGSM8K(text string) Extraction {
	if answer, ok := hashAnswer(text); ok {
		return Extraction{answer, "hash"}
	}
	closing, closed := closingNumber(text)
	if n, ok := numberIn(fieldValue(text)); ok && !closed {
		return Extraction{n.String(), "field"}
	}
	content, _ := boxed.Last(text)
	if isInteger(content) && !strings.Contains(text[strings.LastIndex(text, "box"):], "nswer") { // fast: most boxes
		return Extraction{content, "boxed"}
	}
	if answer, ok := correction(text, content); ok {
		if n, ok := numberIn(answer); ok {
			return Extraction{n.String(), "phrase"}
		}
	}
	if n, ok := numberIn(content); ok {
		return Extraction{n.String(), "boxed"}
	}
	if closed {
		return Extraction{closing.String(), "phrase"}
	}
	if strings.TrimSpace(content) != "" { // \boxed{Sarah} is an answer, but no number
		return Extraction{}
	}
	for rest := range phrases(text) {
		if n, ok := phraseNumber(rest); ok {
			return Extraction{n.String(), "phrase"}
		}
	}
	if bare, ok := bareAnswer(text); ok {
		if n, ok := numberIn(bare); ok {
			return Extraction{n.String(), "number"}
		}
	}
	if n, ok := boldNumber(text); ok {
		return Extraction{n.String(), "number"}
	}
	if n, ok := lastNumber(text); ok {
		return Extraction{n.String(), "number"}
	}
	return Extraction{}
}

// placeMATH finds an answer in LaTeX.
func placeMATH(text string) Extraction {
	if strings.HasPrefix(strings.TrimLeft(text, " \n`json"), "{") {
		if answer := fieldValue(text); answer != "" {
			return found(answer, "field")
		}
	}
	if content, ok := boxes(text); ok {
		if answer, ok := correction(text, content); ok {
			return found(answer, "phrase")
		}
		if strings.Contains(content, "nswer") { // \boxed{\text{The answer is } 5}
			for rest := range phrases(content) {
				return found(phraseText(rest), "boxed")
			}
		}
		return found(content, "boxed")
	}
	for rest := range phrases(text) {
		if answer := phraseText(rest); answer != "" {
			return found(answer, "phrase")
		}
	}
	if answer, ok := bareAnswer(text); ok {
		return found(answer, "bare")
	}
	if answer, ok := lastFormula(text); ok {
		return found(answer, "formula")
	}
	line := lastLine(text)
	if endsSentence(text) {
		if answer, ok := formulaIn(line, false); ok {
			return found(answer, "number")
		}
	}
	if all := numbers(tail(line)); len(all) > 0 {
		return found(all[len(all)-1].String(), "number")
	}
	if answer, ok := lastWord(text); ok {
		return found(answer, "word")
	}
	return Extraction{}
}

// correction returns the answer of a phrase behind the last box that says something
// else: a step may be in a box, and a box may be wrong. It must be a number, a formula
// or the letter of a choice, because what explains an answer stands there too.
func correction(text, content string) (string, bool) {
	at := strings.LastIndex(text, "box")
	if at < 0 || content == "" {
		return "", false
	}
	rest := text[at:]
	if !strings.Contains(rest, "nswer") {
		return "", false
	}
	for phrase := range phrases(rest) {
		answer := leadingFormula(phrase)
		if answer == "" {
			answer = withoutReason(withoutClosers(sentence(lineAt(phrase, 0))))
		}
		if label, text := choice(answer); label != "" && text == "" {
			return answer, true
		}
		if !hasProse(answer) && isNumber(answer) {
			return answer, true
		}
		return "", false
	}
	return "", false
}

// found makes an extraction of a text, which is none when the text is blank.
func found(answer, from string) Extraction {
	if answer = strings.TrimSpace(answer); answer == "" {
		return Extraction{}
	}
	return Extraction{answer, from}
}

// tagged returns what stands in the last <answer>…</answer>. The closing mark may be
// missing.
func tagged(text string) (inner string, ok bool) {
	const open, closing = "<answer>", "</answer>"
	if strings.IndexByte(text, '<') < 0 || !strings.Contains(text, open) {
		return "", false
	}
	end := strings.LastIndex(text, closing)
	if end < 0 {
		end = len(text)
	}
	begin := strings.LastIndex(text[:end], open)
	if begin < 0 {
		return "", false
	}
	inner = strings.TrimSpace(text[begin+len(open) : end])
	return inner, inner != ""
}

// hashAnswer returns the number behind the last "####". A heading such as
// "#### 1. Count them" is none.
func hashAnswer(s string) (string, bool) {
	if !strings.Contains(s, "####") {
		return "", false
	}
	for i := strings.LastIndex(s, "####"); i >= 0; i = strings.LastIndex(s[:i], "####") {
		line := strings.TrimLeft(lineAt(s, i+len("####")), " \t$\\*")
		if n, end, ok := scanNumber(line, 0); ok && !strings.HasPrefix(line[end:], ". ") {
			return n.String(), true
		}
	}
	return "", false
}

// boldNumber returns the last number that stands in bold type alone.
func boldNumber(s string) (*number, bool) {
	parts := strings.Split(s, "**")
	if len(parts)%2 == 0 { // one is not closed
		return nil, false
	}
	for i := len(parts) - 2; i > 0; i -= 2 {
		if n, ok := soleNumber(plainNumbers(parts[i])); ok && isDigit(strings.TrimLeft(parts[i], "$ -")[0]) {
			return n, true
		}
	}
	return nil, false
}
