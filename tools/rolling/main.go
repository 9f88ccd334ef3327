// Command rolling restarts two gateways behind Caddy, one after the other, while clients
// ask at a fixed rate, and fails when one of their requests does.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func main() {
	var r rolling
	flag.StringVar(&r.rcvae, "rcvae", "bin/rcvae", "`PROGRAM` to serve with")
	flag.StringVar(&r.caddy, "caddy", "caddy", "`PROGRAM` that stands before the gateways")
	flag.StringVar(&r.caddyfile, "caddyfile", "deploy/Caddyfile", "`FILE` with its settings")
	flag.Float64Var(&r.rate, "rate", 200, "requests per second")
	flag.IntVar(&r.rounds, "rounds", 2, "restarts of each gateway")
	flag.DurationVar(&r.delay, "drain-delay", 5*time.Second, "of the gateways; 0 shows that requests can fail")
	flag.Parse()
	if err := r.run(); err != nil {
		fmt.Fprintln(os.Stderr, "rolling:", err)
		os.Exit(1)
	}
}

// settle is longer than the proxy takes to see that a gateway is back.
const settle = 4 * time.Second

type rolling struct {
	rcvae, caddy, caddyfile string
	rate                    float64
	rounds                  int
	delay                   time.Duration
	gateways                [2]*process
}

// run starts everything, restarts the gateways under load, and counts.
func (r *rolling) run() error {
	upstream := startUpstream()
	defer upstream.Close()
	for i := range r.gateways {
		address := freeAddress()
		r.gateways[i] = &process{name: fmt.Sprint("gateway ", i+1), address: address, args: []string{
			r.rcvae, "serve", "--listen", address, "--upstream", upstream.URL + "/v1", "--cache", "none", "--selector", "majority", "-k", "2", "--drain-delay", r.delay.String(), "--log-level", "warn"}}
	}
	proxy := &process{name: "caddy", address: freeAddress(), args: []string{r.caddy, "run", "--config", r.caddyfile, "--adapter", "caddyfile"}}
	proxy.env = []string{"RCVAE_ADDRESS=http://" + proxy.address, "RCVAE_GATEWAYS=" + r.gateways[0].address + " " + r.gateways[1].address}
	for _, p := range []*process{r.gateways[0], r.gateways[1], proxy} {
		if err := p.start(); err != nil {
			return err
		}
		defer p.kill()
	}
	time.Sleep(settle)
	clients := startClients("http://"+proxy.address, r.rate)
	restarted := r.restartAll()
	clients.stop()
	fmt.Println(clients)
	return cmp.Or(restarted, clients.err())
}

func (r *rolling) restartAll() error {
	for round := range r.rounds {
		for _, g := range r.gateways {
			began := time.Now()
			if err := errors.Join(g.stop(), g.start()); err != nil {
				return err
			}
			fmt.Printf("round %d: %s restarted in %.1f s\n", round+1, g.name, time.Since(began).Seconds())
			time.Sleep(settle)
		}
	}
	return nil
}

func freeAddress() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return ""
	}
	defer l.Close()
	return l.Addr().String()
}

// process is a program that listens at an address, and answers 200 at /readyz when it is.
type process struct {
	name, address string
	args, env     []string
	cmd           *exec.Cmd
}

func (p *process) start() error {
	p.cmd = exec.Command(p.args[0], p.args[1:]...)
	p.cmd.Env = append(os.Environ(), p.env...)
	p.cmd.Stderr = os.Stderr
	if p.name == "caddy" {
		p.cmd.Stderr = nil // it logs every failed check
	}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	limit, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for limit.Err() == nil {
		if response, err := http.Get("http://" + p.address + "/readyz"); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("%s is not ready", p.name)
}

// stop lets the process drain.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s did not drain: %w", p.name, err)
	}
	return nil
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	_ = p.cmd.Wait()
}
