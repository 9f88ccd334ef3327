#!/usr/bin/env python3
"""The official openai client in front of rcvae serve over a scripted server; one line per check.

    tools/e2e/clients.py GATEWAY K

GATEWAY is a base URL with /v1; it wants the key e2e-key. Needs the package openai.
"""
import asyncio
import sys

import openai
from pydantic import BaseModel

QUESTION = [{"role": "user", "content": "What is 2 + 3?"}]
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
TEXT = "Zürich 東京 👩‍👩‍👧: Step by step"


class Weather(BaseModel):
    city: str
    rain: bool


def check(what, good, seen=""):
    if not good:
        sys.exit(f"FAILED  {what}: {seen}")
    print("ok ", what)


def main(url, k):
    client = openai.OpenAI(base_url=url, api_key="e2e-key", max_retries=0, timeout=60)
    ask = client.chat.completions.create

    check("models", [m.id for m in client.models.list()] == ["scripted"])
    a = ask(model="m", messages=QUESTION)
    check("chat", a.choices[0].message.content.startswith(TEXT) and a.model_extra["rcvae"]["returned"] == k, a)
    check("request id", a._request_id, a._request_id)
    check("usage: the prompt once, the tokens of all", a.usage.prompt_tokens < 10 and a.usage.completion_tokens > 5 * k, a.usage)
    raw = client.chat.completions.with_raw_response.create(model="m", messages=QUESTION, extra_headers={"X-RCVAE-K": "1", "X-Request-Id": "mine"})
    check("k = 1 by the header, and the client's request id", raw.headers["x-rcvae-request-id"] == "mine" and "rcvae" not in raw.text, raw.headers)
    check("n", [c.index for c in ask(model="m", messages=QUESTION, n=3).choices] == [0, 1, 2])
    check("logprobs", ask(model="m", messages=QUESTION, logprobs=True, top_logprobs=1).choices[0].logprobs.content)
    check("a seed twice", *(lambda x, y: (x == y, (x, y)))(*(ask(model="m", messages=QUESTION, seed=5).choices[0].message.content for _ in range(2))))
    check("stop and penalties", ask(model="m", messages=QUESTION, stop=["###"], presence_penalty=0.5, logit_bias={"50256": -100}).choices)
    check("temperature 0: one call and a word", ask(model="m", messages=QUESTION, temperature=0).model_extra["rcvae"]["stopped"] == "greedy")
    short = ask(model="m", messages=QUESTION, max_completion_tokens=3)
    check("a limit", short.choices[0].finish_reason == "length", short)
    o = ask(model="m", messages=[{"role": "developer", "content": "Be short."}, *QUESTION], max_completion_tokens=500, reasoning_effort="low", metadata={"a": "b"}, store=False, user="u")
    check("fields of the o-series", o.choices[0].message.content.startswith(TEXT), o)
    parts = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]
    check("an image", ask(model="m", messages=parts).choices[0].message.content.startswith(TEXT))

    for n in (1, 3):
        texts, usage = [""] * n, None
        for chunk in ask(model="m", messages=QUESTION, n=n, stream=True, stream_options={"include_usage": True}):
            usage = chunk.usage or usage
            for c in chunk.choices:
                texts[c.index] += c.delta.content or ""
        check(f"stream, n = {n}", all(t.startswith(TEXT) for t in texts) and usage.completion_tokens > 0, texts)
    check("a stream without usage", not any(c.usage for c in ask(model="m", messages=QUESTION, stream=True)))
    with client.chat.completions.stream(model="m", messages=QUESTION) as stream:
        check("the stream helper", stream.get_final_completion().choices[0].message.content.startswith(TEXT))
    one = "".join(c.choices[0].delta.content or "" for c in ask(model="m", messages=QUESTION, stream=True, extra_body={"rcvae": {"k": 1}}) if c.choices)
    check("a stream of k = 1", one.startswith(TEXT), one)

    parsed = client.chat.completions.parse(model="m", messages=QUESTION, response_format=Weather)
    check("structured output", parsed.choices[0].message.parsed == Weather(city="Zürich", rain=True), parsed)
    message = ask(model="m", messages=QUESTION, tools=[TOOL], tool_choice="auto", parallel_tool_calls=True).choices[0].message
    calls = message.tool_calls
    check("parallel tool calls", [c.function.arguments for c in calls] == ['{"city":"Zürich 🌧"}', '{"city":"東京"}'], calls)
    results = [{"role": "tool", "tool_call_id": c.id, "content": "rain"} for c in calls]
    check("the results of tools", ask(model="m", messages=[{"role": "user", "content": "no tool now"}, message, *results], tools=[TOOL]).choices[0].message.content.startswith(TEXT))
    pieces = {}
    for chunk in ask(model="m", messages=QUESTION, tools=[TOOL], stream=True):
        for call in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            pieces[call.index] = pieces.get(call.index, "") + (call.function.arguments or "")
    check("tool calls in a stream", list(pieces.values()) == ['{"city":"Zürich 🌧"}', '{"city":"東京"}'], pieces)

    check("raw completions", client.completions.create(model="m", prompt="Count.").choices[0].text.startswith(TEXT))
    check("raw completions: echo and a suffix", client.completions.create(model="m", prompt="Count.", echo=True, suffix="x", logprobs=1).choices[0].logprobs)
    check("a stream of a raw completion", "".join(c.choices[0].text for c in client.completions.create(model="m", prompt="Count.", stream=True)).startswith(TEXT))
    lists = client.completions.create(model="m", prompt=["a", "b"], n=2)
    check("a list of prompts", [c.index for c in lists.choices] == [0, 1, 2, 3] and len(lists.model_extra["rcvae"]["prompts"]) == 2, lists)
    check("token ids", len(client.completions.create(model="m", prompt=[1, 2, 3]).choices) == 1)
    azure = openai.AzureOpenAI(azure_endpoint=url.removesuffix("/v1"), api_key="e2e-key", api_version="2026-01-01", max_retries=0)
    check("Azure's client", azure.chat.completions.create(model="m", messages=QUESTION).choices[0].message.content.startswith(TEXT))

    async def many():
        async with openai.AsyncOpenAI(base_url=url, api_key="e2e-key", max_retries=0) as c:
            return await asyncio.gather(*(c.chat.completions.create(model="m", messages=QUESTION) for _ in range(8)))
    check("eight at once", len(asyncio.run(many())) == 8)

    async def left():
        async with openai.AsyncOpenAI(base_url=url, api_key="e2e-key", max_retries=0) as c:
            async for _ in await c.chat.completions.create(model="m", messages=QUESTION, stream=True):
                return True
    check("a stream that is left", asyncio.run(left()))

    for what, error, call in (
        ("a wrong key", openai.AuthenticationError, lambda: openai.OpenAI(base_url=url, api_key="wrong", max_retries=0).models.list()),
        ("another path", openai.NotFoundError, lambda: client.moderations.create(input="x")),
        ("embeddings: the upstream's own refusal", openai.NotFoundError, lambda: client.embeddings.create(model="m", input="x")),
        ("a timeout", openai.APITimeoutError, lambda: ask(model="m", messages=[{"role": "user", "content": "be slow"}], timeout=0.2)),
        ("a bad k", openai.BadRequestError, lambda: ask(model="m", messages=QUESTION, extra_body={"rcvae": {"k": 0}})),
    ):
        try:
            call()
        except error:
            check(what, True)
        else:
            check(what, False, "no error")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
