package signal

import "strings"

// Program reports whether most of a text is a program. Its steps are statements and not
// equations, so that columns learned on prose do not apply to it.
func Program(text string) bool {
	code, lines := 0, 0
	fenced, inProgram := false, false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "```"); ok {
			fenced = !fenced
			inProgram = fenced && programLanguage(rest)
			continue
		}
		if line == "" {
			continue
		}
		lines++
		if inProgram || statement(line) {
			code++
		}
	}
	return 2*code > lines
}

// programLanguage reports whether a fence of that language holds a program. A fence
// without a language may hold anything: its lines are judged one by one.
func programLanguage(name string) bool {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "python", "py", "python3", "javascript", "js", "java", "c", "cpp", "c++", "go", "ruby", "rust":
		return true
	}
	return false
}

// statement reports whether a trimmed line is a statement of a program.
func statement(line string) bool {
	for _, start := range []string{"def ", "import ", "from ", "return ", "print(", "console.log(", "#include", "elif ", "else:", "@"} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	for _, start := range []string{"for ", "while ", "if ", "class "} {
		if strings.HasPrefix(line, start) && strings.HasSuffix(line, ":") {
			return true
		}
	}
	name, _, ok := strings.Cut(line, " = ")
	return ok && strings.Contains(name, "_") && !strings.ContainsAny(name, ` \{}$*()`)
}

// WordProblem reports whether a question is a word problem of grade school: a story in
// words with two quantities or more, without formulas or variables. What an answer to
// such a question looks like says little about others.
func WordProblem(question string) bool {
	if strings.ContainsAny(question, `\^=<>{}_|`) || strings.Count(question, "$") > 0 && mathMode(question) {
		return false
	}
	quantities, words := 0, 0
	for word := range strings.FieldsFuncSeq(question, func(r rune) bool { return strings.ContainsRune(" \t\n,.;:!?()\"'", r) }) {
		words++
		if strings.ContainsAny(word, "0123456789") || numberWord(strings.ToLower(word)) {
			quantities++
		}
	}
	return words >= 10 && quantities >= 2
}

// mathMode reports whether a dollar sign opens a formula: it is not followed by a
// digit, as a price is.
func mathMode(text string) bool {
	for i, r := range text {
		if r != '$' {
			continue
		}
		rest := strings.TrimLeft(text[i+1:], " ")
		if rest == "" || rest[0] < '0' || rest[0] > '9' {
			return true
		}
	}
	return false
}

// numberWord reports whether a word is a quantity.
func numberWord(word string) bool {
	switch word {
	case "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "twenty", "thirty", "forty", "fifty",
		"hundred", "half", "third", "quarter", "twice", "double", "triple", "dozen", "thrice":
		return true
	}
	return false
}
