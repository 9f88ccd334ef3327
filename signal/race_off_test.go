//go:build !race

package signal

// RaceEnabled is for the tests.
const RaceEnabled = false
