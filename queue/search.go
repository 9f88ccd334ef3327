package queue

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// look sees to what brings no result: dead letters, lost jobs, a full disk.
func (d *doing) look(ctx context.Context) error {
	if err := d.c.server.failed(); err != nil {
		return err
	}
	err := d.letters(ctx)
	if now := time.Now(); err == nil && now.Sub(d.searched) >= d.c.options.Patience/2 {
		d.searched = now
		err = d.search(ctx)
	}
	d.tell(ctx)
	if err != nil {
		return d.c.repair(ctx, err)
	}
	return nil
}

// search publishes the jobs again that are neither in the queue nor among the results, and
// buries those that are in the queue but given to nobody any more.
func (d *doing) search(ctx context.Context) error {
	published := d.published()
	jobs, err := ids(ctx, d.c.streams.jobs, d.c.spec.Kind.jobs(d.c.spec.Target, d.c.spec.Run))
	if err != nil {
		return err
	}
	info, err := d.c.streams.workers.Info(ctx)
	if err != nil {
		return err
	}
	given := info.NumPending > 0 || info.NumAckPending > 0
	done, err := ids(ctx, d.c.streams.done, results(d.c.spec.Run))
	if err != nil {
		return err
	}
	for id, seq := range published {
		switch {
		case done[id]:
		case !jobs[id]:
			if d.suspect(id) {
				d.again(id, "the queue lost it more than once")
			}
			continue
		case !given:
			if d.suspect(id) {
				_ = d.c.streams.jobs.DeleteMsg(ctx, seq) // or it is gone
				d.bury(id, "no worker finished it")
			}
			continue
		}
		d.clear(id)
	}
	return nil
}

// published returns the sequences of the published jobs by id.
func (d *doing) published() map[string]uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]uint64{}
	for id, e := range d.open {
		if e.seq > 0 {
			out[id] = e.seq
		}
	}
	return out
}

// suspect reports whether a job was suspected before.
func (d *doing) suspect(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.open[id]
	before := e != nil && e.suspected
	if e != nil {
		e.suspected = true
	}
	return before
}

func (d *doing) clear(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.open[id]; e != nil {
		e.suspected = false
	}
}

// letters sees to the jobs that were delivered too often, or that a worker could not read.
func (d *doing) letters(ctx context.Context) error {
	info, err := d.c.streams.dead.Info(ctx)
	if err != nil {
		return err
	}
	bySeq := map[uint64]string{}
	for id, seq := range d.published() {
		bySeq[seq] = id
	}
	for seq := max(d.c.deadSeen+1, info.State.FirstSeq); seq <= info.State.LastSeq; seq++ {
		letter, err := d.c.streams.dead.GetMsg(ctx, seq)
		if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
			return err
		}
		d.c.deadSeen = seq
		if err == nil {
			d.letter(ctx, letter, bySeq)
		}
	}
	return nil
}

func (d *doing) letter(ctx context.Context, raw *jetstream.RawStreamMsg, bySeq map[uint64]string) {
	l, err := readLetter(raw.Data)
	id, ours := bySeq[l.Seq]
	if err != nil || !ours || l.Stream != d.c.spec.Kind.stream() || !strings.HasSuffix(raw.Subject, "."+d.c.spec.Kind.consumer(d.c.spec.Target)) {
		return
	}
	_ = d.c.streams.jobs.DeleteMsg(ctx, l.Seq) // it is never delivered again; or it is gone
	d.bury(id, l.String())
}
