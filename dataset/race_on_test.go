//go:build race

package dataset_test

// raceEnabled makes tests smaller: the race detector slows parsing twentyfold.
const raceEnabled = true
