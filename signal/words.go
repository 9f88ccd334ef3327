package signal

import "strings"

// class says what a word does in a line of arithmetic.
type class uint8

const (
	plainWord    class = iota
	breakWord          // ends a side: "so", "then", "is"
	joinWord           // ends a side too, and what stands right of it may be half of a sum: "and"
	openWord           // what stands right of it is not a whole side: "from", "than"
	plusWord           // "plus"
	minusWord          // "minus"
	timesWord          // "times"
	byWord             // "multiplied by", "divided by" wait for it
	multiplied         //
	divided            //
	ofWord             //
	halfWord           // "half"
	equalsWord         // "equals", "equal"
	scaleWord          // "thousand", "dozen": the number before it is not all of the quantity
	functionWord       // "mod", "sin": not read
	percentWord        //
	shareWord          // "thirds", "quarter": a fraction in words, not read
	timeWord           // the measures: one kind each
	lengthWord
	massWord
	volumeWord
	moneyWord
)

var words = lexicon(map[class]string{
	breakWord: `so then which therefore thus hence because since if while but or is are was were be we she he they
		that this these there it has have had gives give means leaves leaving making makes make totaling when where after before as
		she's he's that's it's you i who whereas although for who let now finally with implies solve solving solves yields becomes equation`,
	joinWord:     `and to`,
	openWord:     `from than over less more twice double triple thrice between subtract subtracting subtracted add adding added sum remaining except another point`,
	plusWord:     `plus`,
	minusWord:    `minus`,
	timesWord:    `times`,
	byWord:       `by`,
	multiplied:   `multiplied multiply multiplying`,
	divided:      `divided divide dividing`,
	ofWord:       `of`,
	halfWord:     `half`,
	equalsWord:   `equals equal equaling`,
	scaleWord:    `dozen dozens hundred hundreds thousand thousands million millions billion billions score pair pairs k hectare hectares acre acres`,
	functionWord: `mod modulo sqrt sin cos tan log ln lcm gcd max min floor ceil remainder base choose squared cubed degrees arcsin arccos arctan det exp print len`,
	percentWord:  `percent percents`,
	shareWord:    `third thirds quarter quarters fourth fourths fifth fifths sixth sixths eighth eighths tenth tenths halves`,
	timeWord:     `second seconds sec secs minute minutes min mins hour hours hr hrs day days week weeks month months year years decade decades century`,
	lengthWord:   `inch inches foot feet ft yard yards mile miles millimeter millimeters mm cm km meter meters metre metres kilometer kilometers centimeter centimeters`,
	massWord:     `ounce ounces oz pound pounds lb lbs gram grams kg kilogram kilograms ton tons milligram milligrams mg`,
	volumeWord:   `ml milliliter milliliters millilitre millilitres liter liters litre litres cup cups pint pints quart quarts gallon gallons tablespoon tablespoons teaspoon teaspoons`,
	moneyWord:    `cent cents dollar dollars penny pennies nickel nickels dime dimes quarter quarters`,
})

// dictionary is a hash table of words of up to 12 letters, with open addressing. It is
// less than half full, and faster than a map, since nearly every token is looked up.
type dictionary [1024]struct {
	word  string
	class class
}

func lexicon(lists map[class]string) *dictionary {
	d := &dictionary{}
	for c := plainWord; c <= moneyWord; c++ {
		for _, w := range strings.Fields(lists[c]) {
			if slot := d.slot([]byte(w)); d[slot].word == "" {
				d[slot].word, d[slot].class = w, c
			}
		}
	}
	return d
}

// slot is where a word in small letters stands, or would stand.
func (d *dictionary) slot(lower []byte) uint32 {
	h := uint32(len(lower))
	for _, c := range lower {
		h = h*31 + uint32(c)
	}
	h ^= h >> 10
	for h %= uint32(len(d)); d[h].word != "" && d[h].word != string(lower); {
		h = (h + 1) % uint32(len(d))
	}
	return h
}

// glued lists the units that may follow a number without a space.
var glued = map[string]bool{"kg": true, "cm": true, "mm": true, "km": true, "ml": true, "lb": true, "lbs": true, "oz": true,
	"ft": true, "mph": true, "hrs": true, "hr": true, "min": true, "mins": true, "dollars": true, "hours": true}

func classify(word string) class {
	if len(word) > 12 {
		return plainWord
	}
	var lower [12]byte
	for i := range len(word) {
		c := word[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	return words[words.slot(lower[:len(word)])].class
}

// measure maps a word to a unit, the same for its spellings, so that two units of one
// kind can be told apart; 0 for what is no measure.
func measure(word string) (kind class, unit byte) {
	kind = classify(word)
	if kind < timeWord {
		return 0, 0
	}
	w := strings.ToLower(word)
	switch w {
	case "dollars", "dollar":
		return kind, '$'
	case "feet", "ft":
		return kind, 'F'
	case "hrs", "hr":
		return kind, 'h'
	case "mins", "minute", "minutes", "min":
		return kind, 'M'
	case "months", "month":
		return kind, 'o'
	case "lb", "lbs":
		return kind, 'p'
	case "km", "kilometer", "kilometers":
		return kind, 'k'
	case "mm", "mg", "ml", "millimeter", "millimeters", "milligram", "milligrams", "milliliter", "milliliters", "millilitre", "millilitres":
		return kind, 'n'
	case "mile", "miles":
		return kind, 'L'
	case "teaspoon", "teaspoons":
		return kind, 'e'
	case "pint", "pints":
		return kind, 'P'
	case "penny", "pennies", "cent", "cents":
		return kind, 'c'
	case "dimes", "dime":
		return kind, 'i'
	case "decade", "decades":
		return kind, 'D'
	case "cm", "centimeter", "centimeters", "century":
		return kind, 'C'
	}
	return kind, w[0]
}
