package openaiapi

import "encoding/json"

// Usage counts the tokens of a response.
type Usage struct {
	PromptTokens     int     `json:"prompt_tokens"`
	CompletionTokens int     `json:"completion_tokens"`
	TotalTokens      int     `json:"total_tokens"`
	PromptDetails    Details `json:"prompt_tokens_details,omitempty"`
	OutputDetails    Details `json:"completion_tokens_details,omitempty"`
}

// Details counts tokens by kind, for example "cached_tokens". Members that are not
// whole numbers are left out when it is read.
type Details map[string]int

// UnmarshalJSON implements [json.Unmarshaler].
func (d *Details) UnmarshalJSON(data []byte) error {
	var members map[string]any
	if json.Unmarshal(data, &members) != nil || len(members) == 0 {
		*d = nil // foreign bytes; the details are not worth an error
		return nil
	}
	*d = make(Details, len(members))
	for key, value := range members {
		if x, ok := value.(float64); ok && x >= 0 && x <= maxTokens && x == float64(int(x)) {
			(*d)[key] = int(x)
		}
	}
	return nil
}

// maxTokens is more than any response has: what is above is not a count.
const maxTokens = 1 << 31

// ParseUsage reads the usage of a response, leniently: what is missing, negative or
// not a number is 0.
func ParseUsage(raw json.RawMessage) Usage {
	var fields struct {
		Prompt        any     `json:"prompt_tokens"`
		Completion    any     `json:"completion_tokens"`
		Total         any     `json:"total_tokens"`
		PromptDetails Details `json:"prompt_tokens_details"`
		OutputDetails Details `json:"completion_tokens_details"`
	}
	if len(raw) == 0 || json.Unmarshal(raw, &fields) != nil {
		return Usage{}
	}
	count := func(value any) int {
		if x, ok := value.(float64); ok && x > 0 && x <= maxTokens {
			return int(x)
		}
		return 0
	}
	u := Usage{count(fields.Prompt), count(fields.Completion), count(fields.Total), fields.PromptDetails, fields.OutputDetails}
	if u.TotalTokens < u.PromptTokens+u.CompletionTokens {
		u.TotalTokens = u.PromptTokens + u.CompletionTokens
	}
	return u
}

// Add returns the sum of both.
func (u Usage) Add(v Usage) Usage {
	return Usage{
		u.PromptTokens + v.PromptTokens, u.CompletionTokens + v.CompletionTokens, u.TotalTokens + v.TotalTokens,
		u.PromptDetails.add(v.PromptDetails), u.OutputDetails.add(v.OutputDetails),
	}
}

func (d Details) add(e Details) Details {
	if len(d)+len(e) == 0 {
		return nil
	}
	sum := make(Details, len(d)+len(e))
	for key, n := range d {
		sum[key] = n
	}
	for key, n := range e {
		sum[key] += n
	}
	return sum
}
