package scratch

import (
	"cmp"

	"rcvae"
)

// maxNames bounds the names that a space knows.
const maxNames = 1000

// Question moves the texts of a question into the space, and forgets the fields that
// nothing reads. Of the names of models, samplers and the like one copy is enough.
func (s *Space) Question(q *rcvae.Question) error {
	q.Extra = nil
	texts := []*string{&q.Question, &q.Solution}
	for i := range q.Candidates {
		c := &q.Candidates[i]
		c.Extra = nil
		texts = append(texts, &c.Text)
		for _, name := range []*string{&c.Model, &c.Sampler, &c.Finish, &c.AnswerFrom} {
			*name = s.name(*name)
		}
	}
	for _, text := range texts {
		kept, err := s.String(*text)
		if err != nil {
			return err
		}
		*text = kept
	}
	return nil
}

// name returns the copy of a name that was seen first.
func (s *Space) name(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.names[name]; ok || len(s.names) >= maxNames {
		return cmp.Or(known, name)
	}
	if s.names == nil {
		s.names = make(map[string]string)
	}
	s.names[name] = name
	return name
}

// Encoded moves the embeddings and signals of a question into the space.
func (s *Space) Encoded(e *rcvae.Encoded) (err error) {
	if e.Embedding, err = Keep(s, e.Embedding); err != nil {
		return err
	}
	for i := range e.Solutions {
		x := &e.Solutions[i]
		if x.Embedding, err = Keep(s, x.Embedding); err != nil {
			return err
		}
		if x.Signals, err = Keep(s, x.Signals); err != nil {
			return err
		}
	}
	return nil
}
