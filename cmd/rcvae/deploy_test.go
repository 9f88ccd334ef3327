package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"rcvae/gateway"
)

// manifest is what the tests look at of the objects of deploy/kubernetes.yaml.
type manifest struct {
	Kind string
	Data map[string]string
	Spec struct {
		Template struct {
			Spec struct {
				Grace int `yaml:"terminationGracePeriodSeconds"`
			}
		}
	}
}

// TestDeployedGatewaysMayDrain: the settings are understood, and those who stop a gateway
// wait for longer than it takes at most.
func TestDeployedGatewaysMayDrain(t *testing.T) {
	file, err := os.Open(filepath.Join("..", "..", "deploy", "kubernetes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	objects := map[string]manifest{}
	for decoder := yaml.NewDecoder(file); ; {
		var m manifest
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		objects[m.Kind] = m
	}
	settings := objects["ConfigMap"].Data["rcvae.yaml"]
	got := rcvaeRun(t, "", "serve", "--config", writeFile(t, "rcvae.yaml", settings), "--selector", "oracle")
	if !strings.Contains(got.stderr, "eval only") { // what is wrong is said after the settings are read
		t.Errorf("serve with the settings of the manifest: %s", got.stderr)
	}
	var drain struct {
		Delay   time.Duration `yaml:"drain-delay"`
		Timeout time.Duration `yaml:"drain-timeout"`
	}
	if err := yaml.Unmarshal([]byte(settings), &drain); err != nil {
		t.Fatal(err)
	}
	checkGrace(t, "kubernetes.yaml", time.Duration(objects["Deployment"].Spec.Template.Spec.Grace)*time.Second, drain.Delay+drain.Timeout)

	data, err := os.ReadFile(filepath.Join("..", "..", "deploy", "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]struct {
			Command []string
			Grace   time.Duration `yaml:"stop_grace_period"`
		}
	}
	if err := yaml.Unmarshal(data, &compose); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gateway-1", "gateway-2"} {
		service := compose.Services[name]
		cmd := newServe()
		if err := cmd.ParseFlags(service.Command); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		delay, _ := cmd.Flags().GetDuration("drain-delay")
		if delay < 4*time.Second { // health_interval, health_timeout, and some more
			t.Errorf("%s: the drain begins after %v, before the proxy has seen it", name, delay)
		}
		checkGrace(t, name, service.Grace, delay+gateway.DefaultConfig().DrainTimeout)
	}
}

func checkGrace(t *testing.T, name string, grace, drain time.Duration) {
	t.Helper()
	if drain == 0 || grace <= drain {
		t.Errorf("%s: killed after %v, a drain may take %v", name, grace, drain)
	}
}
