#!/usr/bin/env python3
"""Frameworks that speak the OpenAI API, unchanged, in front of rcvae serve over a scripted server.

    tools/e2e/frameworks.py NAME GATEWAY FOLDER

NAME is a function below, whose package must be installed; GATEWAY is a base URL with /v1 that wants the key e2e-key;
FOLDER is for what the framework writes. One line per check.
"""
import asyncio
import json
import os
import pathlib
import subprocess
import sys

KEY = "e2e-key"
TEXT = "Zürich 東京 👩‍👩‍👧: Step by step"
BIN = pathlib.Path(sys.executable).parent


def check(what, good, seen=""):
    if not good:
        sys.exit(f"FAILED  {what}: {seen}")
    print("ok ", what)


def langchain(url, folder):
    from langchain_openai import ChatOpenAI, OpenAI
    chat = ChatOpenAI(model="m", base_url=url, api_key=KEY, max_retries=0)
    check("langchain: invoke", chat.invoke("Hi.").content.startswith(TEXT))
    check("langchain: stream", "".join(c.content for c in chat.stream("Hi.")).startswith(TEXT))
    check("langchain: batch", all(m.content.startswith(TEXT) for m in chat.batch(["a", "b", "c"])))

    def get_weather(city: str) -> str:
        """The weather of a city."""
    calls = chat.bind_tools([get_weather]).invoke("Hi.").tool_calls
    check("langchain: tools", [c["args"]["city"] for c in calls] == ["Zürich 🌧", "東京"], calls)
    schema = {"title": "weather", "type": "object", "properties": {"city": {"type": "string"}, "rain": {"type": "boolean"}}, "required": ["city", "rain"]}
    check("langchain: a schema", chat.with_structured_output(schema, method="json_schema").invoke("Hi.")["city"] == "Zürich")
    lists = OpenAI(model="m", base_url=url, api_key=KEY, max_retries=0).generate(["2+2=", "3+3="])
    check("langchain: a list of prompts", len(lists.generations) == 2 and lists.generations[1][0].text.startswith(TEXT), lists)


def llama_index(url, folder):
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai_like import OpenAILike
    chat = OpenAILike(model="m", api_base=url, api_key=KEY, is_chat_model=True, max_retries=0, context_window=4096)
    raw = OpenAILike(model="m", api_base=url, api_key=KEY, is_chat_model=False, max_retries=0, context_window=4096)
    check("llama-index: chat", chat.chat([ChatMessage(role="user", content="Hi.")]).message.content.startswith(TEXT))
    check("llama-index: complete", chat.complete("Hi.").text.startswith(TEXT))
    check("llama-index: stream", list(chat.stream_complete("Hi."))[-1].text.startswith(TEXT))
    check("llama-index: a completion model", raw.complete("Hi.").text.startswith(TEXT))


def litellm(url, folder):
    import litellm as client
    to = {"model": "openai/m", "api_base": url, "api_key": KEY, "messages": [{"role": "user", "content": "Hi."}], "num_retries": 0}
    check("litellm: chat", client.completion(**to).choices[0].message.content.startswith(TEXT))
    chunks = list(client.completion(**to, stream=True, stream_options={"include_usage": True}))
    check("litellm: stream", "".join(c.choices[0].delta.content or "" for c in chunks if c.choices).startswith(TEXT))
    check("litellm: usage in a stream", any(getattr(c, "usage", None) for c in chunks))
    check("litellm: n", len(client.completion(**to, n=2).choices) == 2)
    check("litellm: async", asyncio.run(client.acompletion(**to)).choices[0].message.content.startswith(TEXT))
    check("litellm: raw", client.text_completion(model="text-completion-openai/m", prompt="Hi.", api_base=url, api_key=KEY).choices[0].text.startswith(TEXT))
    check("litellm: embeddings are the upstream's to refuse", _raises(client.exceptions.NotFoundError, lambda: client.embedding(model="openai/m", input=["a"], api_base=url, api_key=KEY)))


def _raises(error, call):
    try:
        call()
    except error:
        return True
    return False


def lm_eval(url, folder):
    data = folder / "sums.jsonl"
    data.write_text("".join(json.dumps({"q": f"Question {i}", "a": "Zürich"}) + "\n" for i in range(5)))
    (folder / "sums.yaml").write_text(f"""task: sums
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{q}}}}"
doc_to_target: "{{{{a}}}}"
generation_kwargs: {{until: ["###"], do_sample: true, temperature: 0.7}}
metric_list: [{{metric: !function check.starts, aggregation: mean, higher_is_better: true}}]
""")
    (folder / "check.py").write_text("def starts(references, predictions):\n    return float(predictions[0].startswith(references[0]))\n")
    for name, model, path, more in (
        ("chat", "local-chat-completions", "chat/completions", ["--apply_chat_template"]),
        ("completions, batches of 2", "local-completions", "completions", ["--batch_size", "2"]),
    ):
        out = folder / name.split(",")[0]
        arguments = f"model=m,base_url={url}/{path},num_concurrent=1,max_retries=1,tokenizer_backend=None,tokenized_requests=False"
        run([BIN / "lm_eval", "--model", model, "--model_args", arguments, "--tasks", "sums", "--include_path", folder, "--output_path", out, *more], folder)
        result = json.loads(next(out.rglob("results_*.json")).read_text())
        scores = [v for k, v in result["results"]["sums"].items() if k.startswith("starts")]
        check(f"lm_eval: {name}", scores and scores[0] == 1.0, result["results"])


def inspect_ai(url, folder):
    (folder / "sums.py").write_text(f"""from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes
from inspect_ai.solver import generate

@task
def sums():
    return Task(dataset=[Sample(input=f"Question {{i}}", target="Zürich") for i in range(4)], solver=generate(), scorer=includes())
""")
    for name, more in (("plain", []), ("choices, log-probabilities, seed", ["--num-choices", "2", "--logprobs", "true", "--seed", "1"])):
        out = folder / name[:5]
        run([BIN / "inspect", "eval", "sums.py", "--model", "openai-api/rcvae/m", "--log-dir", out, "--log-format", "json", "--display", "none", *more], folder, RCVAE_API_KEY=KEY, RCVAE_BASE_URL=url)
        log = json.loads(next(out.glob("*.json")).read_text())
        check(f"inspect_ai: {name}", log["status"] == "success" and log["results"]["scores"][0]["metrics"]["accuracy"]["value"] == 1.0, log.get("error"))


def aider(url, folder):
    repository = folder / "repository"
    subprocess.run(["git", "init", "-q", repository], check=True)
    for key, value in (("user.name", "e2e"), ("user.email", "e2e@localhost")):
        subprocess.run(["git", "-C", repository, "config", key, value], check=True)
    (repository / "hello.py").write_text('print("hello")\n')
    subprocess.run(["git", "-C", repository, "add", "."], check=True)
    subprocess.run(["git", "-C", repository, "commit", "-qm", "hello"], check=True)
    run([BIN / "aider", "--model", "openai/m", "--edit-format", "diff", "--yes-always", "--no-check-update", "--no-show-model-warnings", "--no-analytics", "--no-gitignore", "--map-tokens", "0",
         "--message", "Say good bye.", "hello.py"], repository, OPENAI_API_BASE=url, OPENAI_API_KEY=KEY)
    commits = subprocess.run(["git", "-C", repository, "log", "--oneline"], capture_output=True, text=True, check=True).stdout
    check("aider: one edit and a commit", (repository / "hello.py").read_text() == 'print("good bye")\n' and commits.count("\n") == 2, commits)


def run(command, folder, **environment):
    environment = {**os.environ, "OPENAI_API_KEY": KEY, "HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hf"), **environment}
    done = subprocess.run([str(c) for c in command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        sys.exit(f"FAILED  {command[0]}: {done.stdout[-2000:]}\n{done.stderr[-4000:]}")


if __name__ == "__main__":
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would ask the network for prices
    place = pathlib.Path(sys.argv[3]).resolve()
    place.mkdir(parents=True, exist_ok=True)
    {f.__name__: f for f in (langchain, llama_index, litellm, lm_eval, inspect_ai, aider)}[sys.argv[1]](sys.argv[2], place)
