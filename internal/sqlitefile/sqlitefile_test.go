package sqlitefile_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae/internal/sqlitefile"
)

const id = 0x72637661

// made returns a file in which the statements were executed.
func made(t *testing.T, statements string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.sqlite")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCheckChangesNothing: it tells ours, new and foreign files apart and leaves every byte.
func TestCheckChangesNothing(t *testing.T) {
	text := filepath.Join(t.TempDir(), "notes.txt")
	empty := filepath.Join(t.TempDir(), "empty")
	for path, content := range map[string]string{text: strings.Repeat("no database ", 20), empty: ""} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		path    string
		version int
		err     error
	}{
		"ours":            {made(t, "PRAGMA application_id=0x72637661; PRAGMA user_version=3; CREATE TABLE a (b)"), 3, nil},
		"another's":       {made(t, "PRAGMA application_id=7; CREATE TABLE a (b)"), 0, sqlitefile.ErrForeign},
		"nobody's":        {made(t, "CREATE TABLE a (b)"), 0, sqlitefile.ErrForeign},
		"without a table": {made(t, "PRAGMA user_version=0; CREATE TABLE a (b); DROP TABLE a"), 0, nil},
		"text":            {text, 0, sqlitefile.ErrNotSQLite},
		"empty":           {empty, 0, nil},
		"missing":         {empty + ".not", 0, nil},
	} {
		before, _ := os.ReadFile(tt.path)
		version, err := sqlitefile.Check(tt.path, id)
		if version != tt.version || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Errorf("%s: Check() = %d, %v, want %d, %v", name, version, err, tt.version, tt.err)
		}
		if after, _ := os.ReadFile(tt.path); !bytes.Equal(before, after) {
			t.Errorf("%s: Check() changed the file", name)
		}
	}
}

// killed returns a copy of a file and its journal as a process leaves them that is killed
// while it writes, after the statements were executed.
func killed(t *testing.T, statements string) string {
	t.Helper()
	path := made(t, statements)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	// Pages that do not fit into memory are written before the transaction ends.
	if _, err := db.Exec("PRAGMA cache_size=1; BEGIN; CREATE TABLE t (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 2000) INSERT INTO t SELECT randomblob(500) FROM n"); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(t.TempDir(), "left.sqlite")
	for _, end := range []string{"", "-journal"} {
		data, err := os.ReadFile(path + end)
		if err != nil || len(data) == 0 {
			t.Fatalf("%s%s has %d bytes: %v; the test is void", path, end, len(data), err)
		}
		if err := os.WriteFile(left+end, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return left
}

// TestAKilledWriterLeavesAJournal: what it had begun is not there, whosever the file is,
// and is not undone before that is known.
func TestAKilledWriterLeavesAJournal(t *testing.T) {
	for name, tt := range map[string]struct {
		statements string
		err        error
	}{
		"a new file": {"", nil},
		"another's":  {"CREATE TABLE a (b)", sqlitefile.ErrForeign},
	} {
		path := killed(t, tt.statements)
		before, _ := os.ReadFile(path)
		version, err := sqlitefile.Check(path, id)
		if version != 0 || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Errorf("%s: Check() = %d, %v, want 0, %v", name, version, err, tt.err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s: Check() changed the file", name)
		}
	}
}

// TestMessagesSayWhatHappened: a lock, a damaged file, a folder that is not there.
func TestMessagesSayWhatHappened(t *testing.T) {
	path := made(t, "CREATE TABLE a (b)")
	holder, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	holder.SetMaxOpenConns(1)
	if _, err := holder.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	write := func(path, statement string) error {
		db, err := sql.Open("sqlite", sqlitefile.Location(path, map[string][]string{"_pragma": {"busy_timeout(1)"}}))
		if err != nil {
			return err
		}
		defer db.Close()
		_, err = db.Exec(statement)
		return sqlitefile.ExplainOpen(path, err)
	}
	if err := write(path, "INSERT INTO a VALUES (1)"); err == nil || !strings.Contains(err.Error(), "another process holds") || strings.Contains(err.Error(), "remove") {
		t.Errorf("a locked file: %v, want the lock and no advice to remove it", err)
	}
	if err := write(path, "PRAGMA max_page_count=1; CREATE TABLE c AS SELECT randomblob(100000)"); err == nil || strings.Contains(err.Error(), "remove") {
		t.Errorf("a file that may not grow: %v, want no advice to remove it", err)
	}
	damaged := made(t, "CREATE TABLE a (b)")
	data, err := os.ReadFile(damaged)
	if err == nil {
		copy(data[100:], bytes.Repeat([]byte{0xff}, 200))
		err = os.WriteFile(damaged, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := write(damaged, "INSERT INTO a VALUES (1)"); err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("a damaged file: %v, want it said", err)
	}
	if err := write(filepath.Join(t.TempDir(), "no", "f.sqlite"), "CREATE TABLE a (b)"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing folder: %v, want it said", err)
	}
}

// TestAFullDiskIsSaid: a database that may have no more pages.
func TestAFullDiskIsSaid(t *testing.T) {
	db, err := sql.Open("sqlite", made(t, "CREATE TABLE a (b)"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("PRAGMA max_page_count=3"); err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("INSERT INTO a VALUES (randomblob(100000))")
	if err = sqlitefile.Explain(err); err == nil || !strings.Contains(err.Error(), "disk is full") || strings.Contains(err.Error(), "remove") {
		t.Errorf("Explain() = %v, want a full disk and no advice to remove the file", err)
	}
}
