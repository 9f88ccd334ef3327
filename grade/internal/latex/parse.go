package latex

import (
	"fmt"
	"strings"
)

// Parse reads an answer. The error is [ErrBudget] if it is beyond the limits, and
// otherwise [ErrSyntax].
func Parse(s string, limits Limits) (*Node, error) {
	if len(s) > limits.Bytes {
		return nil, ErrBudget
	}
	if n := exception(s, limits); n != nil {
		return n, nil
	}
	p := parser{tokens: lex(s), limits: limits}
	if n, ok := p.words(); ok {
		return n, nil
	}
	n := p.list()
	if p.err == nil && p.peek().kind != end {
		p.fail()
	}
	if p.err != nil {
		return nil, p.err
	}
	return n, nil
}

// parser reads tokens by recursive descent. After an error it stands at the end, so
// that all loops stop.
type parser struct {
	tokens  []token
	pos     int
	limits  Limits
	nodes   int
	depth   int
	bars    int  // open |
	degrees bool // 30° is an angle and not 30
	err     error
}

func (p *parser) peek() *token { return &p.tokens[p.pos] }

func (p *parser) is(kind tokenKind, text string) bool {
	t := p.peek()
	return t.kind == kind && t.text == text
}

// ahead reports whether the token n places on is the given one.
func (p *parser) ahead(n int, kind tokenKind, text string) bool {
	if p.pos+n >= len(p.tokens) {
		return false
	}
	t := p.tokens[p.pos+n]
	return t.kind == kind && t.text == text
}

func (p *parser) advance() {
	if p.pos < len(p.tokens)-1 {
		p.pos++
	}
}

func (p *parser) take(kind tokenKind, text string) bool {
	if p.is(kind, text) {
		p.advance()
		return true
	}
	return false
}

func (p *parser) fail() *Node { return p.stop(ErrSyntax) }

func (p *parser) stop(err error) *Node {
	if p.err == nil {
		p.err = err
	}
	p.pos = len(p.tokens) - 1
	return symbol("?")
}

// node counts a new node against the limits.
func (p *parser) node(n *Node) *Node {
	if p.nodes++; p.nodes > p.limits.Nodes {
		return p.stop(fmt.Errorf("%w: more than %d nodes", ErrBudget, p.limits.Nodes))
	}
	return n
}

func (p *parser) op(kind Kind, args ...*Node) *Node { return p.node(&Node{Kind: kind, Args: args}) }

// list reads clauses up to something that neither separates nor belongs to one.
// Semicolons bind weaker than commas.
func (p *parser) list() *Node {
	var groups [][]*Node
	var items []*Node
	name := ""
	for {
		items = append(items, p.clause())
		separator := p.separator()
		if separator == ";" {
			groups = append(groups, items)
			items = nil
		}
		if separator == "or" {
			name = "or"
		}
		if separator == "" || p.closes() {
			break
		}
	}
	if groups == nil {
		return p.listOf(items, name)
	}
	if items != nil {
		groups = append(groups, items)
	}
	outer := make([]*Node, len(groups))
	for i, g := range groups {
		outer[i] = p.listOf(g, "")
	}
	return p.listOf(outer, name)
}

func (p *parser) listOf(items []*Node, name string) *Node {
	if len(items) == 1 {
		return items[0]
	}
	n := p.op(List, items...)
	n.Name = name
	return n
}

// closes reports whether nothing can follow a separator here.
func (p *parser) closes() bool {
	t := p.peek()
	return t.kind == end || t.kind == mark && strings.Contains(")]}.", t.text) || t.kind == command && t.text == "}"
}

// separator skips what stands between two items: ",", ";", "and", "or", or none.
func (p *parser) separator() string {
	found := ""
	for {
		t := p.peek()
		lower := strings.ToLower(strings.Trim(t.text, " ,"))
		switch {
		case t.kind == mark && (t.text == "," || t.text == ";"):
			if found == "" || t.text == ";" {
				found = t.text
			}
		case (t.kind == word || t.kind == text) && (lower == "and" || lower == "or"),
			t.kind == command && (lower == "lor" || lower == "land"):
			found = lower
			if lower == "lor" {
				found = "or"
			}
		case t.kind == mark && t.text == "." && p.ahead(1, end, ""):
		default:
			return found
		}
		p.advance()
	}
}

// relation skips a relation sign and returns its name, or "".
func (p *parser) relation() string {
	t := p.peek()
	if t.kind == mark && t.text == "!" && p.ahead(1, mark, "=") {
		p.advance()
		p.advance()
		return "!="
	}
	if t.kind != mark {
		return ""
	}
	name := t.text
	switch name {
	case "=", "<", ">", "<=", ">=", "!=", "in", "~":
	default:
		return ""
	}
	p.advance()
	if (name == "<" || name == ">") && p.take(mark, "=") {
		name += "="
	}
	if name == "=" { // "==", "=<"
		p.take(mark, "=")
	}
	return name
}

// clause reads a chain of relations, or what stands in one.
func (p *parser) clause() *Node {
	p.relation() // ≈ 42
	first := p.ratio()
	var n *Node
	for p.err == nil {
		name := p.relation()
		if name == "" {
			break
		}
		if n == nil {
			n = p.op(Relation, first)
		}
		n.Ops = append(n.Ops, name)
		n.Args = append(n.Args, p.ratio())
	}
	if n == nil {
		return first
	}
	return n
}

func (p *parser) ratio() *Node {
	n := p.union()
	for p.is(mark, ":") || p.is(command, "colon") {
		p.advance()
		if n.Kind != Ratio {
			n = p.op(Ratio, n)
		}
		n.Args = append(n.Args, p.union())
	}
	return n
}

func (p *parser) union() *Node {
	n := p.sum()
	for p.err == nil {
		switch {
		case p.take(command, "cup"), n.Kind == Tuple && p.take(word, "U"):
			if n.Kind != Union {
				n = p.op(Union, n)
			}
			n.Args = append(n.Args, p.sum())
		case p.take(command, "setminus"):
			n = p.op(Minus, n, p.sum())
		default:
			return n
		}
	}
	return n
}
