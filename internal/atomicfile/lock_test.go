package atomicfile_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rcvae/internal/atomicfile"
)

// TestTheSecondWriterIsToldWho: a lock is of one holder, whose name the second hears,
// and ends with Release.
func TestTheSecondWriterIsToldWho(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pool.jsonl")
	first, err := atomicfile.Acquire(path, "rcvae sample --seed=7")
	if err != nil {
		t.Fatal(err)
	}
	_, err = atomicfile.Acquire(path, "rcvae sample --seed=8")
	if !errors.Is(err, atomicfile.ErrInUse) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "rcvae sample --seed=7") {
		t.Errorf("the second lock: %v, want ErrInUse with the file and the first's command", err)
	}
	first.Release()
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("a released lock left %v", left)
	}
	second, err := atomicfile.Acquire(path, "rcvae sample --seed=8")
	if err != nil {
		t.Fatalf("after Release: %v", err)
	}
	second.Release()
	second.Release()
}

// TestAKilledWriterLeavesNothingInTheWay: the lock of a killed process is free, and its
// temporary file goes with the next write. Those of a living process stay.
func TestAKilledWriterLeavesNothingInTheWay(t *testing.T) {
	if os.Getenv("ATOMICFILE_CHILD") != "" {
		hold(os.Getenv("ATOMICFILE_CHILD"))
		return
	}
	path := filepath.Join(t.TempDir(), "model.rcvae")
	child := exec.Command(os.Args[0], "-test.run=^TestAKilledWriterLeavesNothingInTheWay$")
	child.Env = append(os.Environ(), "ATOMICFILE_CHILD="+path)
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "holding\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	if _, err := atomicfile.Acquire(path, "the second"); !errors.Is(err, atomicfile.ErrInUse) || !strings.Contains(err.Error(), "the child") {
		t.Errorf("beside the living child: %v, want ErrInUse and who", err)
	}
	if err := atomicfile.Write(path, put("mine")); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(names(t, filepath.Dir(path)), temporary) {
		t.Error("the living child's temporary file was removed")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	lock, err := atomicfile.Acquire(path, "the second")
	if err != nil {
		t.Fatalf("beside the killed child: %v", err)
	}
	defer lock.Release()
	if err := atomicfile.Write(path, put("again")); err != nil {
		t.Fatal(err)
	}
	if left := names(t, filepath.Dir(path)); slices.ContainsFunc(left, temporary) {
		t.Errorf("the killed child's temporary file is still there: %v", left)
	}
}

func temporary(name string) bool { return strings.HasSuffix(name, ".tmp") }

// hold writes half a file, takes the lock and waits to be killed.
func hold(path string) {
	f, err := atomicfile.Create(path)
	var lock *atomicfile.Lock
	if err == nil {
		_, err = io.WriteString(f, "half")
	}
	if err == nil {
		lock, err = atomicfile.Acquire(path, "the child")
	}
	held = []any{f, lock}
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString("holding\n")
	select {}
}

// held keeps what a child holds from the garbage collector, which would close it.
var held []any

// TestFilesOfOthersStay: only what createBeside names is removed.
func TestFilesOfOthersStay(t *testing.T) {
	dir := t.TempDir()
	others := []string{".a.txt.notes.tmp", ".a.txt.0123456.tmp", ".a.txt.0123456g.tmp", ".b.txt.01234567.tmp", "a.txt.01234567.tmp"}
	for _, name := range others {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := atomicfile.Write(filepath.Join(dir, "a.txt"), put("text")); err != nil {
		t.Fatal(err)
	}
	if left := names(t, dir); len(left) != len(others)+1 {
		t.Errorf("files = %v, want a.txt and %v", left, others)
	}
}
