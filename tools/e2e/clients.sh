#!/usr/bin/env bash
# Clients of the OpenAI API, unchanged, in front of rcvae serve over a scripted server.
#
#   tools/e2e/clients.sh RCVAE OUT [CLIENT...]
#
# The clients are python (the official one), node (the official one, also in a page of another site, and the AI SDK),
# langchain, llama_index, litellm, lm_eval, inspect_ai and aider; all of them by default. pip installs each into a
# folder of its own below OUT, npm the JavaScript ones; a client that cannot be installed is skipped, and said so.
# PYTHON is the interpreter to start from.
set -euo pipefail

rcvae=$1 out=$2 here=$(cd "$(dirname "$0")" && pwd) python=${PYTHON:-python3} k=4
shift 2
clients=("$@")
((${#clients[@]})) || clients=(python node langchain llama_index litellm lm_eval inspect_ai aider)
mkdir -p "$out"
out=$(cd "$out" && pwd)
started=() skipped=() origin=http://app.example
trap 'for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done' EXIT

declare -A packages=(
  [python]='openai>=2.54,<4' [langchain]=langchain-openai [llama_index]=llama-index-llms-openai-like [litellm]=litellm
  [lm_eval]='lm_eval[api]' [inspect_ai]='inspect_ai openai' [aider]=aider-chat
)

# install gets a client and fails when it cannot be had.
install() {
  local place=$out/$1
  [[ -e $place/installed ]] && return
  if [[ $1 == node ]]; then
    command -v npm >/dev/null && mkdir -p "$place" &&
      (cd "$place" && npm install --silent --no-fund --no-audit openai@6 ai@6 @ai-sdk/openai-compatible@2 jsdom@27) || return
  else
    # shellcheck disable=SC2086 # several packages
    "$python" -m venv "$place" && "$place/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 20 ${packages[$1]} || return
  fi
  touch "$place/installed"
}

# serve starts a scripted server with the habits of $1 and a gateway before it, and sets url.
serve() {
  : >"$out/scripted.url"
  : >"$out/serve.log"
  "$out/scripted" "$1" >"$out/scripted.url" &
  started+=($!)
  until [[ -s $out/scripted.url ]]; do sleep 0.05; done
  RCVAE_KEYS=e2e-key "$rcvae" serve --model none --selector majority --upstream "$(cat "$out/scripted.url")" --listen 127.0.0.1:0 -k "$k" --cors "$origin" 2>"$out/serve.log" &
  gateway=$!
  started+=("$gateway")
  until address=$(grep --only-matching '"listen":"[^"]*' "$out/serve.log" | cut -d'"' -f4) && [[ -n $address ]]; do
    kill -0 "$gateway" || { cat "$out/serve.log" >&2; exit 1; }
    sleep 0.05
  done
  url=http://$address/v1
}

# ask runs a client.
ask() {
  case $1 in
  python) "$out/python/bin/python" "$here/clients.py" "$url" "$k" ;;
  node) node "$here/clients.mjs" "$url" "$out/node" "$origin" ;;
  *) "$out/$1/bin/python" "$here/frameworks.py" "$1" "$url" "$out/$1/work-$2" ;;
  esac
}

ready=()
for client in "${clients[@]}"; do
  if install "$client" >"$out/install-$client.log" 2>&1; then ready+=("$client"); else skipped+=("$client"); fi
done
(cd "$here/../.." && go build -o "$out/scripted" ./rcvaetest/internal/scripted)
for server in vllm ollama llama.cpp; do
  serve "$server"
  echo "== $server"
  for client in "${ready[@]}"; do
    # The frameworks see the habits of the server through the same answers: once is enough.
    [[ $client == python || $client == node || $server == vllm ]] || continue
    rm -rf "$out/$client/work-$server"
    ask "$client" "$server"
  done
  kill -TERM "$gateway"
  wait "$gateway"
done
if ((${#skipped[@]})); then
  echo "skipped, because they could not be installed: ${skipped[*]} (the reasons are in $out/install-*.log)"
fi
