package gemm

import (
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	fastest := supported()[0].name
	for _, c := range []struct{ ask, want, notice string }{
		{"", fastest, ""},
		{"go", "go", ""},
		{fastest, fastest, ""},
		{"sse9", fastest, "RCVAE_KERNELS=sse9 is not available"},
	} {
		got, notice := choose(c.ask)
		if got.name != c.want {
			t.Errorf("choose(%q) = %s, want %s", c.ask, got.name, c.want)
		}
		if !strings.HasPrefix(notice, c.notice) || (notice == "") != (c.notice == "") {
			t.Errorf("choose(%q) says %q, want %q…", c.ask, notice, c.notice)
		}
	}
}
