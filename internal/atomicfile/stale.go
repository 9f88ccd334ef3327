package atomicfile

import (
	"os"
	"path/filepath"
	"strings"
)

// temporarySuffix ends the names of files that are not finished.
const temporarySuffix = ".tmp"

// removeStale removes what writers of target left that were killed: files with the name
// of a temporary one that no process has locked.
func removeStale(target string) {
	if !locks {
		return // who is alive is not known
	}
	dir, base := filepath.Split(target)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return // creating the file will tell
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !isTemporary(e.Name(), base) {
			continue
		}
		name := filepath.Join(dir, e.Name())
		file, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue // another user's
		}
		if free, err := tryLock(file); free && err == nil {
			_ = os.Remove(name) // another run will try again
		}
		_ = file.Close()
	}
}

// isTemporary reports whether name is one that createBeside gives for base.
func isTemporary(name, base string) bool {
	rest, ok := strings.CutPrefix(name, "."+base+".")
	if !ok {
		return false
	}
	number, ok := strings.CutSuffix(rest, temporarySuffix)
	return ok && len(number) == 8 && strings.Trim(number, "0123456789abcdef") == ""
}
