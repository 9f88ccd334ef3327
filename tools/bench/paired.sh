#!/bin/sh
# The built-in encoder and its matrix products before and after a change, in runs that
# alternate so that other work on the machine meets all sides alike.
#
#     tools/bench/paired.sh COMMIT [ROUNDS]
#
# COMMIT is what the working tree is compared with; its encoder runs under the working
# tree's benchmark. The side "float32" is the working tree without the kernels that round
# to bfloat16. Prints benchstat's table of seconds, the best calls, and the rates of
# products of MiniLM and Qwen2.5-0.5B with weights in float32 and in eight bits.
set -eu
commit=$1 rounds=${2:-6}
root=$(git rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'git -C "$root" worktree remove --force "$work/before"; rm -rf "$work"' EXIT
git -C "$root" worktree add --quiet --detach "$work/before" "$commit"
cp "$root/embed/minilm/bench_test.go" "$work/before/embed/minilm/"
(cd "$work/before" && go test -c -o "$work/before.test" ./embed/minilm)
cd "$root"
go test -c -o "$work/after.test" ./embed/minilm
go test -c -o "$work/gemm.test" ./internal/gemm
cd embed/minilm
for _ in $(seq "$rounds"); do
	for side in before float32 after; do
		kernels= test=$side
		if [ $side = float32 ]; then kernels=avx512 test=after; fi
		RCVAE_KERNELS=$kernels "$work/$test.test" -test.run '^$' -test.bench Call -test.benchtime 1x -test.count 10 >>"$work/$side.txt"
	done
done
cd "$root"
go run golang.org/x/perf/cmd/benchstat@latest -filter '.unit:sec/op' "$work/before.txt" "$work/float32.txt" "$work/after.txt"
for side in before float32 after; do
	for call in one eight; do
		grep "Call/$call" "$work/$side.txt" | sort -n -k3 | awk -v s=$side '{t[NR] = $3 / 1e6; n = $1} END {printf "%s %s: best %.1f ms, first decile %.1f ms of %d\n", s, n, t[1], t[int(NR/10)], NR}'
	done
done
for _ in $(seq "$rounds"); do
	"$work/gemm.test" -test.run '^$' -test.bench 'MulPacked8' -test.benchtime 2x
done | awk '/GFLOP/ { if ($(NF-1) > best[$1]) best[$1] = $(NF-1) } END { for (n in best) printf "%8.1f GFLOP/s at best: %s\n", best[n], n }' | sort -k6
