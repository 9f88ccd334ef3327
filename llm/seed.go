package llm

import (
	"math"
	"math/big"
	"strconv"

	"rcvae/internal/openaiapi"
)

// seedOf returns the body's seed if choices can count on from it: a whole number that
// is not negative, however it is written. Negative seeds mean "random" to servers.
func seedOf(body openaiapi.Body) *big.Int {
	raw, _ := body.Get("seed")
	if size, err := strconv.ParseFloat(string(raw), 64); err != nil || size < 0 || size > 1e40 || len(raw) > 64 {
		return nil
	}
	exact, ok := new(big.Rat).SetString(string(raw))
	if !ok || !exact.IsInt() {
		return nil
	}
	return exact.Num()
}

// seedAt returns the seed that is i after first, as text. Seeds that a server can hold
// stay so: where counting up would pass the largest int64, it counts down.
func seedAt(first *big.Int, i int) string {
	sum := new(big.Int).Add(first, big.NewInt(int64(i)))
	if first.IsInt64() && first.Int64() > math.MaxInt64-maxCounted {
		sum.Sub(first, big.NewInt(int64(i)))
	}
	return sum.String()
}

// maxCounted is more than anybody draws of one prompt.
const maxCounted = 1 << 20
