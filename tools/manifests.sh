#!/bin/sh
# Check deploy/kubernetes.yaml with kubeconform against the API of Kubernetes, which comes
# from the module proxy: tools/manifests.sh [KUBECONFORM]
set -eu
kubeconform=${1:-kubeconform}
version=v1.34.1 # of k8s.io/kubernetes, which holds the definitions of its API; 18 MB
root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/out/manifests
mkdir -p "$out/module"
cd "$out/module"
test -f go.mod || go mod init manifests
swagger=$(go mod download -json k8s.io/kubernetes@$version | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')/api/openapi-spec/swagger.json
"${PYTHON:-python3}" "$root/tools/manifests.py" "$swagger" "$out/schemas"
"$kubeconform" -strict -summary -verbose -schema-location "$out/schemas/{{.ResourceKind}}{{.KindSuffix}}.json" "$root/deploy/kubernetes.yaml"
