package encoder

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rcvae"
	"rcvae/internal/tokenizer"
)

// roles is the number of roles of a text.
const roles = 2

// Embed returns one unit vector per text, in order.
func (m *Model) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	if m.words == nil {
		return nil, errors.New("embed: the model was opened without a tokenizer")
	}
	var byRole [roles][]int
	sequences := make([]sequence, len(texts))
	for i, t := range texts {
		if t.Role >= roles {
			return nil, fmt.Errorf("text %d has the unknown role %d", i, t.Role)
		}
		sequences[i] = m.sequence(t)
		byRole[t.Role] = append(byRole[t.Role], i)
	}
	if m.networks[rcvae.RoleQuestion] == m.networks[rcvae.RoleSolution] {
		return m.embed(ctx, m.networks[rcvae.RoleSolution], sequences)
	}
	out := make([]rcvae.Embedding, len(texts))
	for role, indices := range byRole {
		part := make([]sequence, len(indices))
		for j, i := range indices {
			part[j] = sequences[i]
		}
		embeddings, err := m.embed(ctx, m.networks[role], part)
		if err != nil {
			return nil, err
		}
		for j, i := range indices {
			out[i] = embeddings[j]
		}
	}
	return out, nil
}

// sequence tokenises a text. It has at least one token.
func (m *Model) sequence(t rcvae.Text) sequence {
	if m.lowerText {
		t.Text, t.Question = strings.ToLower(t.Text), strings.ToLower(t.Question)
	}
	if m.options.InContext {
		return m.inContext(t)
	}
	prompt := m.prompts[t.Role]
	ids := m.words.Template.Wrap(m.words.Encode(prompt+t.Text), m.limit, m.options.KeepEnds)
	if len(ids) == 0 { // nothing around it and nothing in it
		ids = m.words.Encode(" ")
	}
	s := sequence{ids: ids, to: len(ids)}
	if m.skipPrompt && prompt != "" {
		s.from = min(len(m.words.Template.Prefix)+len(m.words.Encode(prompt)), len(ids)-1)
	}
	return s
}

// emptyLine stands between a question and its solution.
const emptyLine = "\n\n"

// inContext lays out a solution behind its question and an empty line. Of a long question
// the end is kept, of a long solution both ends; a question alone keeps as much as it does
// before a solution, so that its embedding does not depend on there being one. The
// solution's vector is made of the states of its own tokens, the empty line among them.
func (m *Model) inContext(t rcvae.Text) sequence {
	template := m.words.Template
	room := m.limit - len(template.Prefix) - len(template.Suffix)
	question := t.Text
	if t.Role == rcvae.RoleSolution {
		question = t.Question
	}
	q := m.words.Encode(m.prompts[rcvae.RoleQuestion] + question)
	q = q[max(0, len(q)-room/2):]
	var r []int32
	if t.Role == rcvae.RoleSolution {
		r = tokenizer.Cut(m.words.Encode(emptyLine+t.Text), room-len(q), true)
	} else if len(q) == 0 {
		q = m.words.Encode(emptyLine)
	}
	ids := template.Wrap(append(q[:len(q):len(q)], r...), m.limit, false)
	from := len(template.Prefix)
	if t.Role == rcvae.RoleSolution {
		return sequence{ids: ids, from: from + len(q), to: from + len(q) + len(r), shared: from + len(q)}
	}
	return sequence{ids: ids, from: from, to: from + len(q)}
}
