package eval

import (
	"reflect"
	"testing"

	"gonum.org/v1/gonum/stat/combin"
)

func TestSubsets(t *testing.T) {
	if got, want := subsets(5, 2, 10, 1, "q"), combin.Combinations(5, 2); !reflect.DeepEqual(got, want) {
		t.Errorf("subsets(5, 2) of C(5, 2) = %v, want all: %v", got, want)
	}
	a, b, c := subsets(16, 8, 32, 1, "q7"), subsets(16, 8, 32, 1, "q7"), subsets(16, 8, 32, 1, "q8")
	if !reflect.DeepEqual(a, b) {
		t.Error("one question has different subsets in two calls")
	}
	if reflect.DeepEqual(a, c) {
		t.Error("two questions have the same subsets")
	}
	count := make([]int, 16)
	for _, set := range subsets(16, 8, 8000, 1, "q7") {
		for i, x := range set {
			count[x]++
			if i > 0 && set[i-1] >= x {
				t.Fatalf("subset %v is not increasing", set)
			}
		}
	}
	for i, n := range count {
		if n < 3780 || n > 4220 { // five standard deviations of Binomial(8000, ½)
			t.Errorf("candidate %d is in %d of 8000 subsets, want about 4000", i, n)
		}
	}
	clear(count)
	for _, set := range subsets(16, 4, 32, 1, "q7") {
		for _, x := range set {
			count[x]++
		}
	}
	for i, n := range count {
		if n != 8 {
			t.Errorf("candidate %d is in %d of 32 subsets of 4 of 16, want 8", i, n)
		}
	}
	for limit, want := range map[int]int{120: 120, 119: 119} { // C(16, 2) is 120
		sets := subsets(16, 2, limit, 1, "q")
		different := map[[2]int]bool{}
		for _, set := range sets {
			different[[2]int(set)] = true
		}
		if len(sets) != want || (len(different) == 120) != (limit == 120) {
			t.Errorf("subsets(16, 2) limited to %d: %d sets, %d different", limit, len(sets), len(different))
		}
	}
	if sets := subsets(264, 132, 3, 1, "q"); len(sets) != 3 {
		t.Errorf("subsets(264, 132) = %d sets, want 3", len(sets))
	}
}
