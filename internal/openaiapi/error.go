package openaiapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Error is the content of the error envelope, {"error": {…}}.
type Error struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"` // the field that is wrong, or null
	Code    any     `json:"code"`  // a string, a number or null
}

// NewError returns an error whose type and code are those that OpenAI gives with
// the status.
func NewError(status int, format string, args ...any) Error {
	e := Error{Message: fmt.Sprintf(format, args...), Type: "invalid_request_error"}
	switch {
	case status == http.StatusUnauthorized:
		e.Code = "invalid_api_key"
	case status == http.StatusForbidden:
		e.Type = "permission_error"
	case status == http.StatusNotFound:
		e.Code = "not_found"
	case status == http.StatusTooManyRequests:
		e.Type, e.Code = "rate_limit_error", "rate_limit_exceeded"
	case status >= http.StatusInternalServerError:
		e.Type = "server_error"
	}
	return e
}

// Envelope returns the JSON that an HTTP response carries.
func (e Error) Envelope() []byte {
	raw, err := encode(map[string]Error{"error": e})
	if err != nil { // Code holds what JSON cannot
		e.Code = nil
		return e.Envelope()
	}
	return raw
}

// maxMessage bounds what is kept of a foreign error message, in bytes.
const maxMessage = 2000

// ParseError reads the error of any OpenAI-compatible server: the envelope, its
// variants without an object (text in "error", "message" or "detail"), and plain
// text. The message is never empty.
func ParseError(status int, body []byte) Error {
	e := NewError(status, "status %d", status)
	e.setMessage(http.StatusText(status))
	var envelope struct {
		Error   json.RawMessage `json:"error"`
		Message json.RawMessage `json:"message"`
		Detail  json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		e.setMessage(string(body))
		return e
	}
	var inner struct {
		Message any `json:"message"`
		Type    any `json:"type"`
		Param   any `json:"param"`
		Code    any `json:"code"`
	}
	if json.Unmarshal(envelope.Error, &inner) == nil {
		text, _ := inner.Message.(string)
		e.setMessage(text)
		if kind, _ := inner.Type.(string); kind != "" {
			e.Type = kind
		}
		if param, ok := inner.Param.(string); ok {
			e.Param = &param
		}
		if inner.Code != nil {
			e.Code = inner.Code
		}
		return e
	}
	for _, raw := range []json.RawMessage{envelope.Error, envelope.Message, envelope.Detail} {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw) // a list of what is wrong
		}
		if text != "" {
			e.setMessage(text)
			break
		}
	}
	return e
}

func (e *Error) setMessage(text string) {
	text = strings.ToValidUTF8(strings.TrimSpace(text), "\uFFFD")
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + " …"
	}
	if text != "" {
		e.Message = text
	}
}
