#!/usr/bin/env bash
# Clients of the OpenAI API, unchanged, in front of rcvae serve over a scripted server.
#
#   tools/e2e/clients.sh RCVAE OUT
#
# Installs the Python client into OUT/venv, and the JavaScript clients into OUT/node where
# there is npm. PYTHON is the interpreter to start from.
set -euo pipefail

rcvae=$1 out=$2 here=$(cd "$(dirname "$0")" && pwd) python=${PYTHON:-python3} k=4
mkdir -p "$out"
started=()
trap 'for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done' EXIT

[[ -x $out/venv/bin/python ]] || "$python" -m venv "$out/venv"
"$out/venv/bin/python" -c 'import openai' 2>/dev/null || "$out/venv/bin/pip" install --quiet 'openai>=2.54,<3'
npm=$(command -v npm || true)
if [[ -n $npm && ! -d $out/node/node_modules/openai ]]; then
  mkdir -p "$out/node"
  (cd "$out/node" && npm install --silent --no-fund --no-audit openai@6 ai@6 @ai-sdk/openai-compatible@2)
fi

(cd "$here/../.." && go build -o "$OLDPWD/$out/scripted" ./rcvaetest/internal/scripted)
for server in vllm ollama llama.cpp; do
  : >"$out/scripted.url"
  : >"$out/serve.log"
  "$out/scripted" "$server" >"$out/scripted.url" &
  started+=($!)
  until [[ -s $out/scripted.url ]]; do sleep 0.05; done
  RCVAE_KEYS=e2e-key "$rcvae" serve --model none --selector majority --upstream "$(cat "$out/scripted.url")" --listen 127.0.0.1:0 -k "$k" 2>"$out/serve.log" &
  gateway=$!
  started+=("$gateway")
  until address=$(grep --only-matching '"listen":"[^"]*' "$out/serve.log" | cut -d'"' -f4) && [[ -n $address ]]; do
    kill -0 "$gateway" || { cat "$out/serve.log" >&2; exit 1; }
    sleep 0.05
  done
  echo "== $server"
  "$out/venv/bin/python" "$here/clients.py" "http://$address/v1" "$k"
  if [[ -n $npm ]]; then node "$here/clients.mjs" "http://$address/v1" "$out/node"; fi
  kill -TERM "$gateway"
  wait "$gateway"
done
