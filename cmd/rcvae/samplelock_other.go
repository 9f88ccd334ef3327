//go:build !unix

package main

import "os"

// lockFile does nothing: there is no lock that ends with the process in the standard
// library of this platform.
func lockFile(*os.File) error { return nil }
