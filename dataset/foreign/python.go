package foreign

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

var errPython = errors.New("not a list or dictionary of Python")

// pythonLiteral reads what Python's repr writes for a list or a dictionary of strings,
// numbers, True, False and None.
func pythonLiteral(text string) (any, error) {
	p := &python{text}
	if !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "{") {
		return nil, errPython
	}
	value, err := p.value(0)
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = errPython
	}
	return value, err
}

// python reads from the front of rest.
type python struct{ rest string }

func (p *python) skip(prefix string) bool {
	p.rest = strings.TrimLeft(p.rest, " \n\r\t")
	rest, ok := strings.CutPrefix(p.rest, prefix)
	p.rest = rest
	return ok
}

func (p *python) value(depth int) (any, error) {
	switch {
	case depth > maxDepth:
		return nil, errPython
	case p.skip("["):
		return p.list(depth)
	case p.skip("{"):
		return p.dictionary(depth)
	case p.skip("'"):
		return p.quoted('\'')
	case p.skip(`"`):
		return p.quoted('"')
	case p.skip("True"):
		return true, nil
	case p.skip("False"):
		return false, nil
	case p.skip("None"):
		return nil, nil
	}
	end := strings.IndexAny(p.rest, ",]}:")
	if end < 0 || !json.Valid([]byte(p.rest[:end])) {
		return nil, errPython
	}
	number := json.Number(strings.TrimSpace(p.rest[:end]))
	p.rest = p.rest[end:]
	return number, nil
}

func (p *python) list(depth int) (any, error) {
	list := []any{}
	for !p.skip("]") {
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
		if !p.skip(",") && !strings.HasPrefix(p.rest, "]") {
			return nil, errPython
		}
	}
	return list, nil
}

func (p *python) dictionary(depth int) (any, error) {
	dictionary := map[string]any{}
	for !p.skip("}") {
		key, err := p.value(depth + 1)
		if err != nil || !p.skip(":") {
			return nil, errPython
		}
		if dictionary[textOf(key)], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		if !p.skip(",") && !strings.HasPrefix(p.rest, "}") {
			return nil, errPython
		}
	}
	return dictionary, nil
}

// quoted reads to the closing quote.
func (p *python) quoted(quote byte) (any, error) {
	var b strings.Builder
	for p.rest != "" && p.rest[0] != quote {
		if strings.HasPrefix(p.rest, `\'`) || strings.HasPrefix(p.rest, `\"`) {
			b.WriteByte(p.rest[1])
			p.rest = p.rest[2:]
			continue
		}
		char, multibyte, rest, err := strconv.UnquoteChar(p.rest, 0)
		if err != nil {
			return nil, errPython
		}
		if strings.HasPrefix(p.rest, `\x`) || multibyte || char >= utf8.RuneSelf { // a code point, not a byte as in Go
			b.WriteRune(char)
		} else {
			b.WriteByte(byte(char))
		}
		p.rest = rest
	}
	if p.rest == "" {
		return nil, errPython
	}
	p.rest = p.rest[1:]
	return b.String(), nil
}
