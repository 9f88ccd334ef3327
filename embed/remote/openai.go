package remote

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"

	"rcvae"
)

// openAI is the API of OpenAI, vLLM and LiteLLM. Their lists of numbers are asked for as
// base64, a quarter of the bytes. Some servers send numbers all the same; from one that
// refuses the field it is left out.
func openAI() protocol {
	return protocol{
		kind: "openai", example: "openai+https://api.openai.com/v1?model=text-embedding-3-small", root: "/v1", path: "/embeddings", needsModel: true,
		body: func(r request) any {
			return struct {
				Model      string   `json:"model"`
				Input      []string `json:"input"`
				Dimensions int      `json:"dimensions,omitempty"`
				Format     string   `json:"encoding_format,omitempty"`
			}{r.model, r.texts, r.dimension, r.format}
		},
		read: readListed, formats: true,
	}
}

// llamaCpp is llama-server with --embeddings. It has one model; the adapters that it was
// started with belong to the fingerprint.
func llamaCpp() protocol {
	p := openAI()
	p.kind, p.example, p.root, p.path, p.needsModel = "llamacpp", "llamacpp+http://127.0.0.1:8080", "", "/v1/embeddings", false
	p.describe = func(ctx context.Context, e *Embedder) error {
		if e.options.Dimension > 0 {
			return errors.New("llama.cpp has no choice of dimensions: leave --dimension out")
		}
		var models struct {
			Data []struct{ ID string }
		}
		if err := e.client.get(ctx, "/v1/models", &models); err != nil {
			return err
		}
		if e.model == "" && len(models.Data) == 1 {
			e.model = models.Data[0].ID
			e.print.Weights += path.Base(e.model) // a path on the server, unless it has an alias
		}
		return addAdapters(ctx, e)
	}
	return p
}

// addAdapters adds the low-rank adapters that llama-server applies to the fingerprint.
func addAdapters(ctx context.Context, e *Embedder) error {
	var adapters []struct {
		Path  string
		Scale float64
	}
	if err := e.client.get(ctx, "/lora-adapters", &adapters); err != nil && !isMissing(err) {
		return err
	}
	for _, a := range adapters {
		if a.Scale != 0 {
			e.print.Weights += fmt.Sprintf("+%s*%g", path.Base(a.Path), a.Scale)
		}
	}
	return nil
}

// isMissing reports whether the server does not know the path of a call.
func isMissing(err error) bool {
	status, ok := errors.AsType[*statusError](err)
	return ok && (status.status == http.StatusNotFound || status.status == http.StatusNotImplemented || status.status == http.StatusMethodNotAllowed)
}

// jina is the API of Jina. Late chunking is off: with it a vector would depend on its
// neighbours.
func jina() protocol {
	return protocol{
		kind: "jina", example: "jina+https://api.jina.ai/v1?model=jina-embeddings-v3", root: "/v1", path: "/embeddings", needsModel: true,
		task: func(task string, r rcvae.Role) string {
			return roleTask(task, r, "retrieval.query", "retrieval.passage")
		},
		body: func(r request) any {
			return struct {
				Model      string   `json:"model"`
				Input      []string `json:"input"`
				Task       string   `json:"task,omitempty"`
				Dimensions int      `json:"dimensions,omitempty"`
				Chunking   bool     `json:"late_chunking"`
				Truncate   bool     `json:"truncate"`
				Normalized bool     `json:"normalized"`
				Type       string   `json:"embedding_type"`
			}{r.model, r.texts, r.task, r.dimension, false, false, true, "base64"}
		},
		read: readListed,
	}
}

// roleTask returns the task of a role: one of two for "retrieval", else the task itself.
func roleTask(task string, r rcvae.Role, question, solution string) string {
	if task != "retrieval" {
		return task
	}
	if r == rcvae.RoleQuestion {
		return question
	}
	return solution
}

// tei is text-embeddings-inference. Its tasks are the named prompts of the model's
// config_sentence_transformers.json.
func tei() protocol {
	return protocol{
		kind: "tei", example: "tei+http://127.0.0.1:8080", path: "/embed",
		task: func(task string, r rcvae.Role) string { return roleTask(task, r, "query", "document") },
		body: func(r request) any {
			return struct {
				Inputs     []string `json:"inputs"`
				Truncate   bool     `json:"truncate"`
				Normalize  bool     `json:"normalize"`
				Prompt     string   `json:"prompt_name,omitempty"`
				Dimensions int      `json:"dimensions,omitempty"`
			}{r.texts, false, true, r.task, r.dimension}
		},
		read: func(data []byte) (out [][]float32, err error) {
			if err = json.Unmarshal(data, &out); err != nil {
				err = fmt.Errorf("read the embeddings: %w", err)
			}
			return out, err
		},
		describe: describeTEI,
	}
}

func describeTEI(ctx context.Context, e *Embedder) error {
	var info struct {
		Model  string `json:"model_id"`
		SHA    string `json:"model_sha"`
		DType  string `json:"model_dtype"`
		Tokens int    `json:"max_input_length"`
		Batch  int    `json:"max_client_batch_size"`
		Type   struct {
			Embedding *struct{ Pooling string }
		} `json:"model_type"`
	}
	if err := e.client.get(ctx, "/info", &info); err != nil {
		return err
	}
	if e.model != "" && e.model != info.Model {
		return fmt.Errorf("the server runs %s, not %s", info.Model, e.model)
	}
	e.model = info.Model
	e.print.Weights = fmt.Sprintf("tei/%d:%s@%s:%s", clientVersion, info.Model, info.SHA, info.DType)
	e.print.MaxTokens = info.Tokens
	e.batch = cmp.Or(max(0, info.Batch), e.batch)
	if info.Type.Embedding != nil {
		e.print.Pooling = cmp.Or(info.Type.Embedding.Pooling, e.print.Pooling)
	}
	return nil
}

// ollama is Ollama, which would cut long texts without a word.
func ollama() protocol {
	return protocol{
		kind: "ollama", example: "ollama+http://127.0.0.1:11434?model=nomic-embed-text", path: "/api/embed", needsModel: true,
		body: func(r request) any {
			return struct {
				Model      string   `json:"model"`
				Input      []string `json:"input"`
				Truncate   bool     `json:"truncate"`
				Dimensions int      `json:"dimensions,omitempty"`
			}{r.model, r.texts, false, r.dimension}
		},
		read: func(data []byte) ([][]float32, error) {
			var answer struct{ Embeddings [][]float32 }
			if err := json.Unmarshal(data, &answer); err != nil {
				return nil, fmt.Errorf("read the embeddings: %w", err)
			}
			return answer.Embeddings, nil
		},
		describe: describeOllama,
	}
}

// describeOllama adds the digest of the model's files to the fingerprint.
func describeOllama(ctx context.Context, e *Embedder) error {
	var tags struct {
		Models []struct{ Name, Model, Digest string }
	}
	if err := e.client.get(ctx, "/api/tags", &tags); err != nil {
		return err
	}
	for _, m := range tags.Models {
		if m.Name == e.model || m.Name == e.model+":latest" {
			e.print.Weights += "@" + m.Digest
		}
	}
	return nil
}
