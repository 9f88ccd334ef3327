package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/spf13/cobra"
)

const (
	maxSettings = 64 << 10 // bytes of a settings file
	maxNesting  = 100      // open brackets, or list markers of a line; settings need 2
)

// setting is what a settings file gives a flag, or a command.
type setting struct {
	line   int
	values []string  // of a flag
	list   bool      // they were written as a list
	flags  *settings // of a command
}

// settings are a settings file or one of its sections.
type settings struct {
	path string
	keys []string // in their order
	by   map[string]setting
}

// readSettings reads the file of --config, or rcvae.yaml where there is one. Without a
// file there are no settings.
func readSettings(cmd *cobra.Command) (*settings, error) {
	none := &settings{by: map[string]setting{}}
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	given := path != ""
	if !given {
		path = defaultSettingsFile
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !given {
		return none, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSettings+1))
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	if len(data) > maxSettings {
		return nil, usagef("%s: the file is larger than %d KiB; is it a settings file?", path, maxSettings>>10)
	}
	return parseSettings(bytes.TrimPrefix(data, []byte("\ufeff")), path)
}

// parseSettings reads YAML of a mapping with scalars, lists of them and mappings of
// these. Everything else is an error with its line.
func parseSettings(data []byte, path string) (*settings, error) {
	if line := deepLine(data); line > 0 {
		return nil, usagef("%s:%d: it is nested too deeply; keys are flag names, or a command with its flag names below it", path, line)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, usagef("%s: %s", path, firstLine(err.Error()))
	}
	var root ast.Node
	for _, d := range file.Docs {
		if d.Body == nil {
			continue
		}
		if root != nil {
			return nil, usagef("%s:%d: a second document begins here; a settings file has one", path, lineOf(d.Body))
		}
		root = d.Body
	}
	if root == nil {
		return &settings{path: path, by: map[string]setting{}}, nil
	}
	return readSection(root, path, true)
}

// deepLine returns the line that is nested too deeply, 0 if none is. Brackets in texts
// count too, which no settings notice.
func deepLine(data []byte) int {
	open := 0
	for i, line := range strings.Split(string(data), "\n") {
		open += strings.Count(line, "[") + strings.Count(line, "{")
		if open > maxNesting || strings.Count(line, "- ")+strings.Count(line, "? ") > maxNesting {
			return i + 1
		}
		open = max(open-strings.Count(line, "]")-strings.Count(line, "}"), 0)
	}
	return 0
}

func lineOf(n ast.Node) int { return n.GetToken().Position.Line }

// readSection reads a mapping; that of a command has flags only.
func readSection(n ast.Node, path string, top bool) (*settings, error) {
	mapping, ok := n.(*ast.MappingNode)
	if !ok {
		return nil, usagef("%s:%d: this is no mapping; write \"flag: value\"", path, lineOf(n))
	}
	s := &settings{path: path, by: map[string]setting{}}
	for _, pair := range mapping.Values {
		key, err := scalar(pair.Key)
		if err != nil {
			return nil, usagef("%s:%d: %v", path, lineOf(pair.Key), err)
		}
		one, err := readSetting(pair.Value, path, top)
		if err != nil {
			return nil, fmt.Errorf("%w (key %s)", err, key)
		}
		one.line = lineOf(pair.Key)
		s.keys = append(s.keys, key)
		s.by[key] = one
	}
	return s, nil
}

func readSetting(n ast.Node, path string, top bool) (s setting, err error) {
	switch v := n.(type) {
	case *ast.MappingNode:
		if !top {
			return s, usagef("%s:%d: a mapping inside a command's settings; write \"flag: value\"", path, lineOf(n))
		}
		s.flags, err = readSection(n, path, false)
		return s, err
	case *ast.SequenceNode:
		s.list = true
		for _, item := range v.Values {
			text, err := scalar(item)
			if err != nil {
				return s, usagef("%s:%d: %v", path, lineOf(item), err)
			}
			s.values = append(s.values, text)
		}
		return s, nil
	}
	text, err := scalar(n)
	if err != nil {
		return s, usagef("%s:%d: %v", path, lineOf(n), err)
	}
	s.values = []string{text}
	return s, nil
}

// scalar returns a value as it is written, without quotes.
func scalar(n ast.Node) (string, error) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, nil
	case *ast.LiteralNode:
		return v.Value.Value, nil
	case *ast.BoolNode:
		return v.Token.Value, nil
	case *ast.InfinityNode, *ast.NanNode:
		return "", errors.New("this number is not finite")
	case *ast.IntegerNode, *ast.FloatNode:
		text := n.GetToken().Value
		digits := strings.TrimLeft(text, "+-")
		if strings.Contains(text, "_") || len(digits) > 1 && digits[0] == '0' && digits[1] != '.' && digits[1] != 'e' {
			return "", fmt.Errorf("write the number %s in decimal digits, without leading zeros and underscores", text)
		}
		return text, nil
	case *ast.NullNode:
		return "", errors.New("the value is missing; remove the key, or write \"\" for an empty text")
	}
	return "", fmt.Errorf("a value of the kind %s is not understood; write a text, a number, true, false, or a list of these", strings.ToLower(n.Type().String()))
}
