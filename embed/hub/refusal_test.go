package hub_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae/embed/hub"
	"rcvae/rcvaetest"
)

func TestLicencesAreAccepted(t *testing.T) {
	for _, tt := range []struct {
		license, accept, want string
	}{
		{"apache-2.0", "", ""},
		{"MIT", "", ""},
		{"cc-by-nc-4.0", "cc-by-nc-4.0", ""},
		{"cc-by-nc-4.0", "", "--accept-license cc-by-nc-4.0"},
		{"cc-by-nc-4.0", "mit", "--accept-license cc-by-nc-4.0"},
		{"gemma", "", "--accept-license gemma"},
		{"", "", "--accept-license unknown"},
		{"", "unknown", ""},
	} {
		s := script()
		s.License = tt.license
		h := rcvaetest.StartHub(t, s)
		c := cacheOf(t, h)
		c.AcceptLicense = tt.accept
		_, err := c.Get(t.Context(), "org/model")
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("licence %q, accepted %q: %v, want %q", tt.license, tt.accept, err, tt.want)
		}
		if err != nil && len(h.Requests()) > 1 {
			t.Errorf("licence %q: files were asked for before it was accepted", tt.license)
		}
	}
}

func TestGetExplainsRefusals(t *testing.T) {
	for _, tt := range []struct {
		name   string
		model  string
		change func(*rcvaetest.HubScript, *hub.Cache)
		want   string
	}{
		{"gated", "org/model", func(s *rcvaetest.HubScript, _ *hub.Cache) { s.Gated = true }, "HF_TOKEN"},
		{"another token", "org/model", func(s *rcvaetest.HubScript, _ *hub.Cache) { s.Token = "other" }, "HF_TOKEN"},
		{"no such model", "org/other", nil, "no such model"},
		{"no such revision", "org/model@v9", nil, "no such revision"},
		{"no safetensors", "org/model", func(s *rcvaetest.HubScript, _ *hub.Cache) { delete(s.Files, "model.safetensors") }, "safetensors"},
		{"offline", "org/model", func(_ *rcvaetest.HubScript, c *hub.Cache) { c.Offline = true }, "HF_HUB_OFFLINE"},
		{"not a name", "model", nil, "ORG/NAME"},
		{"a name that climbs", "../model", nil, "ORG/NAME"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, c := script(), hub.Cache{}
			if tt.change != nil {
				tt.change(&s, &c)
			}
			h := rcvaetest.StartHub(t, s)
			c.Dir, c.Endpoint, c.Token = filepath.Join(t.TempDir(), "hub"), h.URL, "secret"
			_, err := c.Get(t.Context(), tt.model)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows the token: %v", err)
			}
			if c.Offline && len(h.Requests()) > 0 {
				t.Error("a connection was opened offline")
			}
		})
	}
}

func TestShardsComeWithTheirIndex(t *testing.T) {
	s := script()
	s.Files["model.safetensors.index.json"], s.Files["model-00001-of-00002.safetensors"], s.Files["model-00002-of-00002.safetensors"] = []byte("{}"), []byte("a"), []byte("b")
	both := get(t, cacheOf(t, rcvaetest.StartHub(t, s)), "org/model")
	if _, err := os.Stat(filepath.Join(both.Folder, "model-00001-of-00002.safetensors")); err == nil {
		t.Error("the weights came twice")
	}
	delete(s.Files, "model.safetensors")
	parts := get(t, cacheOf(t, rcvaetest.StartHub(t, s)), "org/model")
	for _, name := range []string{"model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"} {
		checkFile(t, parts.Folder, name, s.Files[name])
	}
}

func TestFromEnvironment(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "token"), []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		env  map[string]string
		want hub.Cache
	}{
		{"home", map[string]string{"HF_HOME": home}, hub.Cache{Dir: filepath.Join(home, "hub"), Endpoint: "https://huggingface.co", Token: "from-file"}},
		{"all", map[string]string{"HF_HOME": home, "HF_HUB_CACHE": "/c", "HF_TOKEN": "t", "HF_ENDPOINT": "http://mirror/", "HF_HUB_OFFLINE": "1"},
			hub.Cache{Dir: "/c", Endpoint: "http://mirror", Token: "t", Offline: true}},
		{"base", map[string]string{"XDG_CACHE_HOME": "/x", "TRANSFORMERS_OFFLINE": "yes"}, hub.Cache{Dir: "/x/huggingface/hub", Endpoint: "https://huggingface.co", Offline: true}},
	} {
		got, err := hub.FromEnvironment(func(name string) string { return tt.env[name] })
		if err != nil || got.Dir != tt.want.Dir || got.Endpoint != tt.want.Endpoint || got.Token != tt.want.Token || got.Offline != tt.want.Offline {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
	if _, err := hub.FromEnvironment(func(name string) string { return map[string]string{"HF_HOME": "/x", "HF_ENDPOINT": "mirror"}[name] }); err == nil {
		t.Error("an endpoint without a scheme is taken")
	}
}
