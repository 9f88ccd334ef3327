package openaiapi

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Usage counts the tokens of a response. All other members that are numbers, or objects
// of numbers, are kept: details of the tokens, money.
type Usage struct {
	PromptTokens     int
	CompletionTokens int
	TotalTokens      int
	Other            Amounts // nil when there are none
}

// Amounts are numbers by name. A value is a float64 or Amounts.
type Amounts map[string]any

// maxTokens is more than any response has: what is above is not a count.
const maxTokens = 1 << 31

// ParseUsage reads the usage of a response, leniently: what is missing, negative or
// not a number is 0.
func ParseUsage(raw json.RawMessage) Usage {
	var fields map[string]any
	if len(raw) == 0 || json.Unmarshal(raw, &fields) != nil {
		return Usage{}
	}
	count := func(name string) int {
		value := fields[name]
		delete(fields, name)
		if x, ok := value.(float64); ok && x > 0 && x <= maxTokens {
			return int(x)
		}
		return 0
	}
	u := Usage{count("prompt_tokens"), count("completion_tokens"), count("total_tokens"), amountsOf(fields)}
	u.TotalTokens = max(u.TotalTokens, u.PromptTokens+u.CompletionTokens)
	return u
}

// amountsOf returns the members that are amounts; nil for none.
func amountsOf(fields map[string]any) Amounts {
	amounts := Amounts{}
	for name, value := range fields {
		switch v := value.(type) {
		case float64:
			if v >= 0 && v <= maxTokens {
				amounts[name] = v
			}
		case map[string]any:
			if inner := amountsOf(v); inner != nil {
				amounts[name] = inner
			}
		}
	}
	if len(amounts) == 0 {
		return nil
	}
	return amounts
}

// IsZero reports whether nothing is known.
func (u Usage) IsZero() bool {
	return u.PromptTokens == 0 && u.CompletionTokens == 0 && u.TotalTokens == 0 && len(u.Other) == 0
}

// Add returns the sum of both: what two calls cost together.
func (u Usage) Add(v Usage) Usage {
	return Usage{u.PromptTokens + v.PromptTokens, u.CompletionTokens + v.CompletionTokens, u.TotalTokens + v.TotalTokens, u.Other.add(v.Other)}
}

// AddChoices returns the usage of choices of one prompt that came by two calls. The
// prompt, and every member whose name starts with "prompt_", counts once; the rest is
// added.
func (u Usage) AddChoices(v Usage) Usage {
	sum := u.Add(v)
	sum.PromptTokens = max(u.PromptTokens, v.PromptTokens)
	sum.TotalTokens = sum.PromptTokens + sum.CompletionTokens
	for name := range sum.Other {
		if !strings.HasPrefix(name, "prompt_") {
			continue
		}
		if once, ok := u.Other[name]; ok {
			sum.Other[name] = once
		} else {
			sum.Other[name] = v.Other[name]
		}
	}
	return sum
}

func (a Amounts) add(b Amounts) Amounts {
	if len(a)+len(b) == 0 {
		return nil
	}
	sum := maps.Clone(a)
	if sum == nil {
		sum = Amounts{}
	}
	for name, y := range b {
		x, _ := sum[name].(float64)
		xs, _ := sum[name].(Amounts)
		switch y := y.(type) {
		case float64:
			sum[name] = x + y
		case Amounts:
			sum[name] = xs.add(y)
		}
	}
	return sum
}

// MarshalJSON implements [json.Marshaler].
func (u Usage) MarshalJSON() ([]byte, error) {
	var b Body
	for _, f := range []struct {
		name  string
		count int
	}{{"prompt_tokens", u.PromptTokens}, {"completion_tokens", u.CompletionTokens}, {"total_tokens", u.TotalTokens}} {
		if err := b.Set(f.name, f.count); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(u.Other)) {
		if err := b.Set(name, u.Other[name]); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// UnmarshalJSON implements [json.Unmarshaler].
func (u *Usage) UnmarshalJSON(data []byte) error {
	*u = ParseUsage(data)
	return nil
}
