package selector

import "rcvae"

// FakeSignals returns the sources with two signals in place of the project's: "length",
// of one text, and "rank", its place in the set. Every reading adds to reads.
func FakeSignals(s Sources, version int, reads *int) Sources {
	s.signals = &signalSource{version: version, names: []string{"length", "rank"}, set: []bool{false, true}, read: func(q rcvae.Question) signalReader {
		*reads++
		return func(subset []int) [][]float64 {
			rows := make([][]float64, len(subset))
			for a, i := range subset {
				rows[a] = []float64{float64(len(q.Candidates[i].Text)), float64(a)}
			}
			return rows
		}
	}}
	return s
}
