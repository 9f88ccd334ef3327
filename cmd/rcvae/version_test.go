package main

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestBuildRecord(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	for _, c := range []struct {
		name            string
		linked          buildRecord
		version, commit string
		info            *debug.BuildInfo
	}{
		{"linked", buildRecord{Commit: "def"}, "v1.2.3", "def", info},
		{"released", buildRecord{Commit: "def", Version: "v2.0.0"}, "v2.0.0", "def", info},
		{"recorded", buildRecord{Commit: "unknown"}, "v1.2.3", "abc", info},
		{"neither", buildRecord{Commit: "unknown"}, "unknown", "unknown", nil},
	} {
		got := newBuildRecord(c.info, c.linked)
		if got.Version != c.version || got.Commit != c.commit || got.Modified != (c.info != nil) {
			t.Errorf("%s: %+v, want version %s of commit %s", c.name, got, c.version, c.commit)
		}
	}
}

func TestVersion(t *testing.T) {
	got := rcvaeRun(t, "", "version", "--json")
	var r buildRecord
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil || got.code != exitOK || r.Go != runtime.Version() || r.Commit == "" {
		t.Errorf("version --json: exit code %d, %+v, %v", got.code, r, err)
	}
	if got := rcvaeRun(t, "", "version"); got.code != exitOK || !strings.HasPrefix(got.stdout, "rcvae ") || strings.Count(got.stdout, "\n") != 1 {
		t.Errorf("version: exit code %d, output %q, want one line", got.code, got.stdout)
	}
}
