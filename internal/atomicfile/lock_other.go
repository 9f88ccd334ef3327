//go:build !unix

package atomicfile

import "os"

// locks tells that the standard library has no lock here which ends with its process.
const locks = false

func tryLock(*os.File) (held bool, err error) { return true, nil }
