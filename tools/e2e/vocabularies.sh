#!/usr/bin/env bash
# internal/tokenizer against llama.cpp's test cases of vocabularies, whose ids are those of
# Hugging Face's tokenizers. They are MIT-licensed and in the source package of
# llama-cpp-python.
#
#   tools/e2e/vocabularies.sh OUT
set -euo pipefail
out=$1 python=${PYTHON:-python3} version=0.3.36
mkdir -p "$out"
if [[ ! -d $out/models ]]; then
  "$python" -m pip --quiet download --no-deps --no-binary :all: --dest "$out" "llama-cpp-python==$version"
  tar -xzf "$out"/llama_cpp_python-"$version".tar.gz -C "$out" --strip-components 3 --wildcards '*/vendor/llama.cpp/models/ggml-vocab-*'
fi
RCVAE_LLAMA_VOCABS=$(cd "$out/models" && pwd) go test -count=1 -run TestVocabulariesOfLlamaCpp -v ./internal/tokenizer
