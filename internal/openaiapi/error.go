package openaiapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Error is the content of the error envelope, {"error": {…}}.
type Error struct {
	Message string
	Type    string
	Param   *string // the field that is wrong, or nil
	Code    any     // a string, a number or nil
	More    Body    // a server's own fields: "innererror", "metadata", "n_ctx", …
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
	var inner Body
	set := func(key string, value any) {
		if inner.Set(key, value) != nil { // Code holds what JSON cannot
			inner.SetRaw(key, []byte("null"))
		}
	}
	set("message", e.Message)
	set("type", e.Type)
	set("param", e.Param)
	set("code", e.Code)
	for key, value := range e.More.All() {
		inner.SetRaw(key, value)
	}
	var envelope Body
	envelope.SetRaw("error", inner.Bytes())
	return envelope.Bytes()
}

// maxMessage bounds what is kept of a foreign error message, in bytes.
const maxMessage = 2000

// ParseError reads the error of any OpenAI-compatible server: the envelope, its
// variants without an object (text in "error", "message" or "detail"), a list of one
// envelope, and plain text. The message is never empty.
func ParseError(status int, body []byte) Error {
	e := NewError(status, "status %d", status)
	e.setMessage(http.StatusText(status))
	var list []json.RawMessage
	if json.Unmarshal(body, &list) == nil && len(list) > 0 { // Google's
		body = list[0]
	}
	envelope, err := ParseBody(body)
	if err != nil {
		e.setMessage(string(body))
		return e
	}
	raw, _ := envelope.Get("error")
	if inner, err := ParseBody(raw); err == nil {
		e.setFields(inner)
		return e
	}
	e.setFields(envelope)
	for _, key := range []string{"error", "message", "detail"} {
		if !envelope.Has(key) {
			continue
		}
		raw, _ := envelope.Get(key)
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

// setFields takes what an error's object says.
func (e *Error) setFields(from Body) {
	e.setMessage(from.Text("message"))
	if kind := from.Text("type"); kind != "" {
		e.Type = kind
	}
	var param string
	if ok, err := from.Decode("param", &param); ok && err == nil {
		e.Param = &param
	}
	var code any
	if ok, err := from.Decode("code", &code); ok && err == nil {
		e.Code = code
	}
	for key, value := range from.All() {
		switch key {
		case "message", "type", "param", "code", "error":
		default:
			e.More.SetRaw(key, bytes.Clone(value))
		}
	}
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
