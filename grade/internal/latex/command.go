package latex

import "strings"

// command reads what belongs to a command or to a word of the same name.
func (p *parser) command(name string) *Node {
	switch name {
	case "frac":
		over := p.argument(false)
		return p.op(Quotient, over, p.argument(false))
	case "sqrt":
		return p.root()
	case "binom":
		over := p.argument(false)
		if over.Kind == Tuple && len(over.Args) == 2 {
			return p.call("binom", over.Args...)
		}
		return p.call("binom", over, p.argument(false))
	case "lfloor":
		return p.enclosed("floor", "rfloor")
	case "lceil":
		return p.enclosed("ceil", "rceil")
	case "lvert":
		return p.enclosed("abs", "rvert")
	case "|":
		return p.absolute(command, name)
	case "begin":
		return p.environment()
	case "{":
		return p.set()
	case "emptyset":
		return p.op(Set)
	case "sum", "prod":
		return p.series(name)
	case "boxed":
		return p.argument(true)
	case "overline", "bar", "vec", "hat", "widehat", "overrightarrow", "mathbb", "mathcal":
		return p.node(symbol(name + ":" + p.flat()))
	}
	switch meant := commands[name]; meant.role {
	case function:
		return p.function(meant.name)
	case letter:
		return p.node(symbol(meant.name))
	}
	return p.fail()
}

func (p *parser) call(name string, args ...*Node) *Node {
	n := p.op(Call, args...)
	n.Name = name
	return n
}

// root reads \sqrt{x}, \sqrt[3]{x} and sqrt(x).
func (p *parser) root() *Node {
	if !p.is(mark, "[") {
		return p.call("root", p.argument(false), p.node(number(2)))
	}
	p.advance()
	index := p.sum()
	if !p.take(mark, "]") {
		return p.fail()
	}
	return p.call("root", p.argument(false), index)
}

// enclosed reads up to a closing command.
func (p *parser) enclosed(function, last string) *Node {
	n := p.call(function, p.sum())
	if !p.take(command, last) {
		return p.fail()
	}
	return n
}

// absolute reads up to the closing bar.
func (p *parser) absolute(kind tokenKind, bar string) *Node {
	p.bars++
	n := p.call("abs", p.sum())
	p.bars--
	if !p.take(kind, bar) {
		return p.fail()
	}
	return n
}

// set reads \{…\}.
func (p *parser) set() *Node {
	if p.take(command, "}") {
		return p.op(Set)
	}
	n := p.list()
	if !p.take(command, "}") {
		return p.fail()
	}
	if n.Kind == List {
		n.Kind, n.Name = Set, ""
		return n
	}
	return p.op(Set, n)
}

// function reads the argument of a function: sin x, sin(x), sin^2 x, \log_2 x.
func (p *parser) function(name string) *Node {
	var exponent, base *Node
	for p.err == nil {
		switch {
		case exponent == nil && p.take(mark, "^"):
			exponent = p.exponent()
			continue
		case name == "log" && base == nil && p.take(mark, "_"):
			base = p.argument(true)
			continue
		}
		break
	}
	inverse := exponent != nil && exponent.Kind == Negative && strings.Contains("sin cos tan cot", name)
	if inverse {
		name, exponent = "arc"+name, nil
	}
	degrees := p.degrees
	p.degrees = strings.Contains("sin cos tan cot sec csc", name)
	n := p.call(name, p.operands()...)
	p.degrees = degrees
	if base != nil {
		n.Args = append(n.Args, base)
	}
	if exponent != nil {
		return p.op(Power, n, exponent)
	}
	return n
}

// operands reads what a function applies to: brackets, or factors up to the next
// function, sign or bracket.
func (p *parser) operands() []*Node {
	if t := p.peek(); t.kind == mark && (t.text == "(" || t.text == "[" || t.text == "{") {
		n := p.postfixFactorial(p.atom())
		if n.Kind == Tuple || n.Kind == List {
			return n.Args
		}
		return []*Node{n}
	}
	first := p.power()
	var rest []*Node
	for p.err == nil && p.continuesOperand() {
		rest = append(rest, p.power())
	}
	if rest == nil {
		return []*Node{first}
	}
	return []*Node{p.op(Product, append([]*Node{first}, rest...)...)}
}

func (p *parser) postfixFactorial(n *Node) *Node {
	if p.is(mark, "!") && !p.ahead(1, mark, "=") {
		return p.postfix(n)
	}
	return n
}

// continuesOperand reports whether the next token still belongs to the operand of a
// function without brackets.
func (p *parser) continuesOperand() bool {
	t := p.peek()
	switch t.kind {
	case numeral:
		return true
	case word:
		return !has(t.text, function) && p.startsAtom() && !p.isUnit(&Node{Kind: Number})
	case command:
		return !has(t.text, function) && t.text != "begin" && t.text != "{" && p.startsAtom()
	}
	return false
}

// series reads \sum_{k=1}^{n} and \prod with their body.
func (p *parser) series(name string) *Node {
	if !p.take(mark, "_") {
		return p.fail()
	}
	from := p.argument(true)
	if from.Kind != Relation || len(from.Args) != 2 || from.Ops[0] != "=" || from.Args[0].Kind != Symbol || !p.take(mark, "^") {
		return p.fail()
	}
	to := p.exponent()
	return p.call(name, from.Args[0], from.Args[1], to, p.product())
}

// environment reads a matrix.
func (p *parser) environment() *Node {
	name := p.flat()
	switch name {
	case "pmatrix", "bmatrix", "matrix", "Bmatrix", "smallmatrix":
	case "array":
		p.flat() // columns
	default:
		return p.fail()
	}
	n := p.op(Matrix)
	column := 0
	for p.err == nil && !p.is(command, "end") {
		n.Args = append(n.Args, p.clause())
		column++
		switch {
		case p.take(mark, "&"):
			continue
		case p.take(command, `\`), p.is(command, "end"):
			if n.Columns == 0 {
				n.Columns = column
			}
			if column != n.Columns {
				return p.fail()
			}
			column = 0
		default:
			return p.fail()
		}
	}
	p.advance()
	if p.err == nil && p.flat() != name || len(n.Args) == 0 {
		return p.fail()
	}
	return n
}
