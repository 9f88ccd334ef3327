package gateway

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"rcvae/internal/atomicfile"
	"rcvae/internal/sqlitefile"
)

const (
	decisionsID      = 0x72637664 // SQLite's application_id of our files: "rcvd"
	decisionsVersion = 1          // SQLite's user_version
	decisionsBusy    = 30000      // milliseconds that a reader's lock is waited for
	decisionsPending = 4096       // rows that wait for the disk; more are dropped and counted
)

const decisionsSchema = `CREATE TABLE IF NOT EXISTS decision (
	id           INTEGER PRIMARY KEY,
	at           TEXT NOT NULL,    -- UTC, RFC 3339
	question     BLOB NOT NULL,    -- SHA-256 of the question
	model        TEXT NOT NULL,
	selector     TEXT NOT NULL,
	k            INTEGER NOT NULL,
	drawn        INTEGER NOT NULL,
	returned     INTEGER NOT NULL,
	chosen       INTEGER NOT NULL, -- index among those returned
	scores       TEXT NOT NULL,    -- JSON, null where there is none
	fallback     TEXT,             -- kind, NULL when a rule chose
	upstream_ms  REAL NOT NULL,
	embedding_ms REAL NOT NULL,
	selection_ms REAL NOT NULL,
	texts        TEXT              -- JSON {question, candidates, reason}; NULL unless asked for
)`

// decisionLog writes decisions to a SQLite file in the background.
type decisionLog struct {
	lock    *atomicfile.Lock
	db      *sql.DB
	rows    chan []any
	texts   bool
	dropped func(n int)
	done    sync.WaitGroup
}

// openDecisions opens the log for this process alone.
func openDecisions(path string, texts bool, dropped func(n int)) (*decisionLog, error) {
	lock, err := atomicfile.Acquire(path, "rcvae serve")
	if err != nil {
		return nil, fmt.Errorf("open decision log: %w", err)
	}
	db, err := openDecisionFile(path)
	if err != nil {
		lock.Release()
		return nil, fmt.Errorf("open decision log %s: %w", path, err)
	}
	l := &decisionLog{lock: lock, db: db, rows: make(chan []any, decisionsPending), texts: texts, dropped: dropped}
	l.done.Go(l.write)
	return l, nil
}

// openDecisionFile makes the file, or opens one of ours. Others stay as they are.
func openDecisionFile(path string) (*sql.DB, error) {
	version, err := sqlitefile.Check(path, decisionsID)
	switch {
	case errors.Is(err, sqlitefile.ErrForeign), errors.Is(err, sqlitefile.ErrNotSQLite):
		return nil, fmt.Errorf("%w, not a decision log; name another file", err)
	case err != nil:
		return nil, err
	case version != 0 && version != decisionsVersion:
		return nil, fmt.Errorf("the log has format version %d, this program writes %d; name another file", version, decisionsVersion)
	}
	// The file is made here: SQLite would let others read what clients asked.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	return sqlitefile.Open(path, sqlitefile.Options(decisionsBusy), func(db *sql.DB) error {
		_, err := db.Exec(fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d; %s", decisionsID, decisionsVersion, decisionsSchema))
		return err
	})
}

// write stores rows until the channel is closed, as many in one transaction as wait.
func (l *decisionLog) write() {
	for row := range l.rows {
		batch := [][]any{row}
		for range len(l.rows) { // nobody else takes them
			batch = append(batch, <-l.rows)
		}
		if err := l.store(batch); err != nil {
			l.dropped(len(batch))
		}
	}
}

func (l *decisionLog) store(batch [][]any) error {
	tx, err := l.db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to undo
	for _, row := range batch {
		if _, err := tx.Exec(`INSERT INTO decision (at, question, model, selector, k, drawn, returned, chosen, scores, fallback, upstream_ms, embedding_ms, selection_ms, texts)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, row...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// close writes what waits. No more rows may come.
func (l *decisionLog) close() error {
	if l == nil {
		return nil
	}
	close(l.rows)
	l.done.Wait()
	defer l.lock.Release()
	return l.db.Close()
}

// record puts a decision into the log, if there is one, without waiting for the disk.
func (s *Server) record(p part) {
	l := s.decisions
	if l == nil {
		return
	}
	hash := sha256.Sum256([]byte(p.call.question))
	scores, _ := json.Marshal(scoreList(p.Scores)) // numbers and nulls always encode
	milliseconds := func(t time.Duration) float64 { return float64(t) / float64(time.Millisecond) }
	var fallback, texts any
	if p.Kind != "" {
		fallback = p.Kind
	}
	if l.texts {
		view := struct {
			Question   string      `json:"question"`
			Candidates []candidate `json:"candidates"`
			Reason     string      `json:"reason"` // it can quote an answer
		}{Question: p.call.question, Reason: p.Reason}
		for _, c := range p.Candidates {
			view.Candidates = append(view.Candidates, candidateView(c))
		}
		raw, _ := json.Marshal(view)
		texts = string(raw)
	}
	row := []any{time.Now().UTC().Format(time.RFC3339Nano), hash[:], p.call.model, p.Rule, p.call.k, p.Drawn, len(p.Candidates), p.Chosen, string(scores), fallback,
		milliseconds(p.Sampling), milliseconds(p.embedding), milliseconds(max(p.Selection-p.embedding, 0)), texts}
	select {
	case l.rows <- row:
	default:
		l.dropped(1)
	}
}
