package latex

import "strings"

// role says what a command or a word means to the reader.
type role uint8

const (
	skip     role = iota + 1 // spacing, sizes, fonts that apply to what follows
	words                    // its argument is words
	color                    // an argument to drop, then a group
	env                      // \begin and \end
	relation                 // between two sides
	function                 // of an argument
	letter                   // a name or a constant
	operator                 // everything else that the parser knows by its name
)

// meaning is a role and the one name for all commands of one meaning.
type meaning struct {
	role role
	name string
}

// commands is the table of all commands, and of the words that are read like the
// command of that name. "a=b" gives a the name b.
var commands = func() map[string]meaning {
	table := map[string]meaning{}
	for _, row := range [...]struct {
		role  role
		names string
	}{
		{skip, `left right big Big bigl bigr Bigl Bigr bigg Bigg biggl biggr middle quad qquad displaystyle textstyle limits hspace phantom nobreak rm bf it sf tt
			tiny small normalsize large Large LARGE huge Huge bfseries centering ! , ; : > $ ( ) [ ] displaylimits hfill nonumber notag`},
		{words, `text mbox textbf textit textrm textnormal textsf hbox texttt mathrm mathbf operatorname mathit mathsf boldsymbol emph underline bm pmb`},
		{color, `color textcolor colorbox`},
		{env, `begin end`},
		{relation, `= < > le=<= leq=<= leqslant=<= leqq=<= ge=>= geq=>= geqslant=>= geqq=>= lt=< gt=> ne=!= neq=!= in approx=~ sim=~ simeq=~ equiv==`},
		{function, `sin cos tan cot sec csc cosec=csc arcsin arccos arctan arccot asin=arcsin acos=arccos atan=arctan tg=tan ctg=cot sinh cosh tanh exp ln log lg=log
			gcd lcm max min floor ceil abs factorial`},
		{letter, `pi infty infinity=infty inf=infty oo=infty alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta kappa lambda mu nu xi rho sigma tau phi
			varphi chi psi omega Gamma Delta Theta Lambda Sigma Phi Psi Omega ell angle triangle ldots dots=ldots cdots=ldots star Re Im forall exists`},
		{operator, `frac dfrac=frac tfrac=frac cfrac=frac sqrt binom dbinom=binom tbinom=binom lfloor rfloor lceil rceil lvert rvert | vert=| Vert=| mid=| { } lbrace={
			rbrace=} emptyset varnothing=emptyset sum prod boxed box=boxed fbox=boxed framebox=boxed beginboxed=boxed overline bar vec hat widehat overrightarrow mathbb mathcal
			cup setminus backslash=setminus smallsetminus=setminus pm mp cdot=times times ast=times div lor vee=lor land wedge=land degree circ=degree textdegree=degree % prime colon \`},
	} {
		for name := range strings.FieldsSeq(row.names) {
			alias, meant, found := strings.Cut(name, "=")
			if alias == "" { // "=" itself
				alias, meant = "=", "="
			} else if !found {
				meant = name
			}
			table[alias] = meaning{row.role, meant}
		}
	}
	table[""], table[" "] = meaning{skip, ""}, meaning{skip, ""}
	return table
}()

// has reports whether a command or a word has the role.
func has(name string, r role) bool { return commands[name].role == r }

// known reports whether a word means something in a formula.
func known(s string) bool {
	return s == "sqrt" || s == "binom" || has(s, function) || has(s, letter)
}

// runes are characters with the name of a command, or with an ASCII form (one
// character).
var runes = map[rune]string{
	'\u2212': "-", '–': "-", '×': "times", '·': "times", '⋅': "times", '÷': "/", '√': "sqrt", 'π': "pi", '∞': "infty", '≤': "le", '≥': "ge",
	'≠': "ne", '∪': "cup", '∈': "in", '±': "pm", '≈': "approx", '∠': "angle", 'θ': "theta", 'φ': "varphi", 'α': "alpha", 'β': "beta", '′': "'",
	'⌊': "lfloor", '⌋': "rfloor", '⌈': "lceil", '⌉': "rceil", '°': "degree", 'λ': "lambda", '∅': "emptyset", '…': "ldots", '⟨': "(", '⟩': ")",
}

// units are short words that are units behind a number; words of three letters or more
// are if they are unknown.
var units = map[string]bool{
	"cm": true, "mm": true, "km": true, "kg": true, "mg": true, "ml": true, "mL": true, "ft": true, "lb": true, "oz": true, "hr": true, "ms": true, "sq": true,
}

// rates are the units of time behind the sign of division in m/s.
var rates = map[string]bool{"s": true, "h": true, "hr": true, "min": true, "sec": true, "second": true, "hour": true, "minute": true, "day": true}

// scales are the words for powers of ten behind a number.
var scales = map[string]int64{"thousand": 3, "million": 6, "billion": 9, "trillion": 12}

// numerals are the numbers that people write as words.
var numerals = func() map[string]int64 {
	table := map[string]int64{}
	for i, word := range strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty") {
		table[word] = int64(i)
	}
	return table
}()

// synonyms are words for one and the same answer.
var synonyms = map[string]string{
	"no solutions": "no solution", "no real solution": "no solution", "no real solutions": "no solution", "there is no solution": "no solution", "there are no solutions": "no solution",
	"empty set": "no solution", "the empty set": "no solution", "all reals": "all real numbers", "all real number": "all real numbers", "every real number": "all real numbers",
	"any real number": "all real numbers", "all real": "all real numbers", "does not exist": "undefined", "dne": "undefined",
}

// conditions are words that begin what an answer is true for, or why.
var conditions = map[string]bool{"where": true, "since": true, "because": true, "whenever": true, "for all": true, "for any": true, "for every": true, "for each": true}

func isPercent(s string) bool { return s == "percent" || s == "pct" || s == "percentage" }

// Known reports whether a word means something in a formula or is a unit: "sin", "pi",
// "cm".
func Known(word string) bool {
	return known(word) || units[word] || word == "and" || word == "or" || word == "mod"
}
