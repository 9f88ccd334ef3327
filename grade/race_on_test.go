//go:build race

package grade_test

// raceEnabled makes tests smaller: the race detector slows parsing twentyfold.
const raceEnabled = true
