package dataset

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"rcvae"
)

// questionRow is a question in a Parquet pool: the fields of JSON Lines as columns,
// those that are empty as null.
type questionRow struct {
	ID         string         `parquet:"id,zstd"`
	Question   string         `parquet:"question,zstd"`
	Solution   string         `parquet:"solution,optional,zstd"`
	Answer     string         `parquet:"answer,optional,zstd"`
	Subject    string         `parquet:"subject,optional,dict,zstd"`
	Level      int32          `parquet:"level,optional"`
	Candidates []candidateRow `parquet:"candidates,list"`
	Extra      string         `parquet:"extra_json,optional,zstd"`
}

type candidateRow struct {
	Text       string   `parquet:"text,zstd"`
	Answer     string   `parquet:"answer,optional,zstd"`
	AnswerFrom string   `parquet:"answer_from,optional,dict,zstd"`
	Correct    *bool    `parquet:"correct,optional"`
	Model      string   `parquet:"model,optional,dict,zstd"`
	Sampler    string   `parquet:"sampler,optional,dict,zstd"`
	Finish     string   `parquet:"finish,optional,dict,zstd"`
	Tokens     int32    `parquet:"n_tokens,optional"`
	Sum        *float64 `parquet:"sum_logprob,optional"`
	Tail       *float64 `parquet:"tail_logprob,optional"`
	MinWindow  *float64 `parquet:"min_window_logprob,optional"`
	Extra      string   `parquet:"extra_json,optional,zstd"`
}

// writeTable writes the pool as Parquet, with a checksum in each page.
func writeTable(w io.Writer, questions []rcvae.Question) error {
	table := parquet.NewGenericWriter[questionRow](w)
	for _, q := range questions {
		row, err := rowOf(q)
		if err != nil {
			return err
		}
		if _, err := table.Write([]questionRow{row}); err != nil {
			return fmt.Errorf("write pool: %w", err)
		}
	}
	if err := table.Close(); err != nil {
		return fmt.Errorf("write pool: %w", err)
	}
	return nil
}

// rowOf checks the question as [AppendQuestion] does, so that both forms of a pool hold
// the same.
func rowOf(q rcvae.Question) (questionRow, error) {
	if _, err := AppendQuestion(nil, q); err != nil {
		return questionRow{}, err
	}
	row := questionRow{
		ID: q.ID, Question: q.Question, Solution: q.Solution, Answer: q.Answer, Subject: q.Subject,
		Level: int32(q.Level), Candidates: make([]candidateRow, len(q.Candidates)), Extra: extraText(q.Extra),
	}
	for i, c := range q.Candidates {
		to := candidateRow{
			Text: c.Text, Answer: c.Answer, AnswerFrom: c.AnswerFrom, Model: c.Model, Sampler: c.Sampler,
			Finish: c.Finish, Tokens: int32(c.Tokens), Extra: extraText(c.Extra),
		}
		if c.Verdict != rcvae.Ungraded {
			to.Correct = new(c.Verdict == rcvae.Correct)
		}
		if p := c.LogProb; p != nil {
			to.Sum, to.Tail, to.MinWindow = &p.Sum, &p.Tail, &p.MinWindow
		}
		row.Candidates[i] = to
	}
	return row, nil
}

// extraText returns the unknown fields as a JSON object, or "" if there are none.
func extraText(extra rcvae.Extra) string {
	if len(extra) == 0 {
		return ""
	}
	text, err := json.Marshal(extra)
	if err != nil {
		return "" // AppendQuestion has encoded it before
	}
	return string(text)
}
