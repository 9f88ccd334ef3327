#!/usr/bin/env bash
# The first table of docs/results.md: three seeds on 1,900 training questions, measured on the
# test pool, beside the literal rule. Embeddings are cached in the output folder.
#
#   tools/reproduce.sh RCVAE SHARED OUT
set -euo pipefail
rcvae=$1 data=$2/data out=$3
mkdir -p "$out"
cache=(--cache "$out/cache.sqlite")
train=(--pool "$data/train-pools/gsm8k-train-qwen2.5-coder-0.5b.jsonl.gz" --max-questions 1900 --embedder minilm)
test=(--pool "$data/pools/gsm8k-test-qwen2.5-coder-0.5b.jsonl.gz" --sampler top_p -k 4,8,16)
models=() ratios=()
for seed in 1 2 3; do
  "$rcvae" train "${train[@]}" --seed "$seed" --out "$out/contrastive-$seed.rcvae" "${cache[@]}"
  "$rcvae" train "${train[@]}" --seed "$seed" --objective ratio --out "$out/ratio-$seed.rcvae" "${cache[@]}"
  models+=(--model "$out/contrastive-$seed.rcvae")
  ratios+=(--model "$out/ratio-$seed.rcvae")
done
"$rcvae" train "${train[@]}" --lambda 0 --out "$out/literal.rcvae" "${cache[@]}"
"$rcvae" train --problems "$data/gsm8k/train.jsonl.gz" --objective paper --out "$out/paper.rcvae" "${cache[@]}"
"$rcvae" eval "${test[@]}" "${models[@]}" --out "$out/contrastive.json" "${cache[@]}"
"$rcvae" eval "${test[@]}" "${ratios[@]}" --out "$out/ratio.json" "${cache[@]}" \
  --selector vote:ratio --selector tiebreak:ratio --selector ratio --selector majority
for name in literal paper; do
  "$rcvae" eval "${test[@]}" --model "$out/$name.rcvae" --out "$out/$name.json" "${cache[@]}" \
    --selector vote:entropy --selector entropy --selector norm --selector majority
done
