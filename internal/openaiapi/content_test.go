package openaiapi_test

import (
	"slices"
	"testing"

	"rcvae/internal/openaiapi"
)

func TestContentTexts(t *testing.T) {
	for content, want := range map[string][]string{
		``: nil, `null`: nil, `[]`: nil, `"a \n b"`: {"a \n b"},
		`[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:"}},{"type":"text","text":"b"}]`: {"a", "b"},
	} {
		if got, err := openaiapi.ContentTexts([]byte(content)); err != nil || !slices.Equal(got, want) {
			t.Errorf("ContentTexts(%s) = %q, %v, want %q", content, got, err, want)
		}
	}
	for _, content := range []string{`7`, `{"text":"a"}`, `[7,{"text":"a"}]`} {
		if got, err := openaiapi.ContentTexts([]byte(content)); err == nil {
			t.Errorf("ContentTexts(%s) = %q, want an error", content, got)
		}
	}
}
