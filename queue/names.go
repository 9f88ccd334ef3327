package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Version is that of messages and subjects. Coordinator and workers must have one.
const Version = 1

// Kind is what a worker can do.
type Kind string

// The kinds.
const (
	Embedding Kind = "embed"
	Sampling  Kind = "sample"
)

// Names of streams and buckets.
const (
	doneStream    = "RCVAE_DONE"
	deadStream    = "RCVAE_DEAD"
	workersBucket = "rcvae_workers"
	filesBucket   = "rcvae_files"
)

// Headers of jobs.
const (
	versionHeader = "Rcvae-Version"
	unitsHeader   = "Rcvae-Units"
	attemptHeader = "Rcvae-Attempt"
	runHeader     = "Rcvae-Run"
)

func (k Kind) stream() string { return "RCVAE_" + strings.ToUpper(string(k)) }

// jobs are the subjects of a run's jobs, job that of one.
func (k Kind) jobs(target, run string) string { return k.job(target, run, "*") }
func (k Kind) job(target, run, id string) string {
	return "rcvae." + string(k) + "." + target + "." + run + "." + id
}

// consumer is the name of the consumer that workers for the target share.
func (k Kind) consumer(target string) string { return "w-" + target }

// results are the subjects of a run's results, result that of one.
func results(run string) string    { return result(run, "*") }
func result(run, id string) string { return "rcvae.done." + run + "." + id }

func planSubject(k Kind) string      { return "rcvae.plan." + string(k) }
func proofSubject(run string) string { return "rcvae.prove." + run }

// lastToken returns the id in a subject.
func lastToken(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

// HashID returns an id for subjects that depends on all parts and on nothing else.
func HashID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
