package remote

import (
	"context"
	"errors"
	"fmt"

	"rcvae"
	"rcvae/embed"
)

// Limits of one call.
const (
	defaultBatch = 32      // texts
	maxBytes     = 1 << 19 // of texts; one longer text goes alone
)

// batch is some texts of one role.
type batch struct {
	role    rcvae.Role
	indices []int // in the texts of the call
	texts   []string
}

func (e *Embedder) batches(texts []rcvae.Text) []batch {
	var out []batch
	for _, role := range []rcvae.Role{rcvae.RoleQuestion, rcvae.RoleSolution} {
		b, size := batch{role: role}, 0
		for i, t := range texts {
			if t.Role != role {
				continue
			}
			text := e.prefix(role) + t.Text
			if text == "" {
				text = " "
			}
			if len(b.texts) > 0 && (len(b.texts) == e.batch || size+len(text) > maxBytes) {
				out, b, size = append(out, b), batch{role: role}, 0
			}
			b.indices, b.texts, size = append(b.indices, i), append(b.texts, text), size+len(text)
		}
		if len(b.texts) > 0 {
			out = append(out, b)
		}
	}
	return out
}

// embed embeds a batch into its places in out. Which text is too long no server says:
// a refused batch is halved until it is known, or until every half is short enough. So is
// one that takes the server too long, and the ones after it.
func (e *Embedder) embed(ctx context.Context, b batch, out []rcvae.Embedding) error {
	if most := int(e.most.Load()); most > 0 && len(b.texts) > most {
		return e.halves(ctx, b, out)
	}
	vectors, err := e.call(ctx, b)
	if n := len(b.texts); n > 1 && errors.Is(err, errSlow) {
		e.most.Store(int32((n + 1) / 2))
		return e.halves(ctx, b, out)
	}
	if errors.Is(err, embed.ErrTooLong) && len(b.texts) > 1 {
		return e.halves(ctx, b, out)
	}
	if errors.Is(err, embed.ErrTooLong) {
		return fmt.Errorf("text %d (%d bytes, %.40q): %w; cut it or leave it out, or give the server a larger limit", b.indices[0]+1, len(b.texts[0]), b.texts[0], err)
	}
	if err != nil {
		return err
	}
	for i, v := range vectors {
		if out[b.indices[i]], err = unit(v); err != nil {
			return fmt.Errorf("%s: text %d: %w", e.client.base, b.indices[i]+1, err)
		}
	}
	return nil
}

// halves embeds one half of a batch and then the other.
func (e *Embedder) halves(ctx context.Context, b batch, out []rcvae.Embedding) error {
	half := len(b.texts) / 2
	if err := e.embed(ctx, batch{b.role, b.indices[:half], b.texts[:half]}, out); err != nil {
		return err
	}
	return e.embed(ctx, batch{b.role, b.indices[half:], b.texts[half:]}, out)
}

// call sends one batch, once more without a wish for base64 where that is refused.
func (e *Embedder) call(ctx context.Context, b batch) ([][]float32, error) {
	vectors, err := e.send(ctx, b)
	if status, ok := errors.AsType[*statusError](err); ok && e.protocol.formats && !e.plain.Load() && status.rejects("encoding_format") {
		e.plain.Store(true)
		return e.send(ctx, b)
	}
	return vectors, err
}

func (e *Embedder) send(ctx context.Context, b batch) ([][]float32, error) {
	r := request{model: e.model, texts: b.texts, dimension: e.options.Dimension}
	if !e.plain.Load() {
		r.format = "base64"
	}
	if e.options.Task != "" {
		r.task = e.protocol.task(e.options.Task, b.role)
	}
	var vectors [][]float32
	err := e.client.post(ctx, e.protocol.path, e.protocol.body(r), len(b.texts) > 1, func(data []byte) (err error) {
		if vectors, err = e.protocol.read(data); err != nil {
			return fmt.Errorf("%s: %w", e.client.base, err)
		}
		return e.check(vectors, len(b.texts))
	})
	return vectors, err
}

func (e *Embedder) check(vectors [][]float32, n int) error {
	if len(vectors) != n {
		return fmt.Errorf("%s: %d embeddings for %d texts", e.client.base, len(vectors), n)
	}
	for _, v := range vectors {
		if want := e.print.Dimension; len(v) == 0 || want > 0 && len(v) != want {
			return fmt.Errorf("%s: an embedding has %d dimensions, want %d: the server runs another model", e.client.base, len(v), want)
		}
	}
	return nil
}
