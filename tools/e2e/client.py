#!/usr/bin/env python3
"""The official openai client in front of rcvae serve; one line for each check.

    tools/e2e/client.py GATEWAY UPSTREAM MODEL K

GATEWAY and UPSTREAM are base URLs; the gateway wants the key e2e-key and draws K
candidates. Needs the package openai.
"""
import json
import sys
import urllib.error
import urllib.request

import openai

KEY = "e2e-key"
QUESTION = [{"role": "user", "content": "A box has 12 pens. How many pens are in 3 boxes? Answer in one sentence."}]
TOOL = {"type": "function", "function": {
    "name": "get_weather", "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}}, "required": ["city"]}}}


def turns(*cities):
    """Earlier calls and their results: a model this small calls a tool only after examples, tool_choice or not."""
    for i, city in enumerate(cities):
        function = {"name": "get_weather", "arguments": json.dumps({"city": city})}
        yield {"role": "user", "content": f"What is the weather in {city}?"}
        yield {"role": "assistant", "content": "", "tool_calls": [{"id": f"call_{i}", "type": "function", "function": function}]}
        yield {"role": "tool", "tool_call_id": f"call_{i}", "content": "Rain"}
        yield {"role": "assistant", "content": "Rain."}


WEATHER = {"messages": [*turns("Rome", "Paris", "Rome"), {"role": "user", "content": "What is the weather in Paris?"}],
           "tools": [TOOL], "tool_choice": "required", "temperature": 0.3, "max_tokens": 64}


class Checks:
    def __init__(self, gateway, upstream, model, k):
        self.url, self.model, self.k = gateway, model, k
        options = {"max_retries": 0, "timeout": 300}
        self.client = openai.OpenAI(base_url=gateway, api_key=KEY, **options)
        self.stranger = openai.OpenAI(base_url=gateway, api_key="another", **options)
        self.upstream = openai.OpenAI(base_url=upstream, api_key="none", **options)

    def ask(self, client=None, **fields):
        fields = {"model": self.model, "messages": QUESTION, "max_tokens": 48, "temperature": 0.7} | fields
        return (client or self.client).chat.completions.create(**fields)

    def stream(self, **fields):
        """The chunks of a stream that ended with [DONE]: the client raises or stops short otherwise."""
        return list(self.ask(stream=True, **fields))

    def models(self):
        names = [m.id for m in self.client.models.list()]
        assert self.model in names, names
        return f"the upstream's: {', '.join(names)}"

    def plain(self):
        raw = self.client.chat.completions.with_raw_response.create(
            model=self.model, messages=QUESTION, max_tokens=48, temperature=0.7, extra_body={"rcvae": {"return_candidates": True}})
        c = raw.parse()
        block = c.model_extra["rcvae"]
        assert (c.object, len(c.choices), c.choices[0].index) == ("chat.completion", 1, 0) and c.id and c.created and c.model, c
        assert block["drawn"] == block["returned"] == len(block["scores"]) == len(block["candidates"]) == self.k, block
        assert "fallback" not in block, block["fallback"]
        assert c.choices[0].message.content == block["candidates"][block["chosen"]]["text"]
        assert raw.headers["x-rcvae-chosen"] == str(block["chosen"])
        assert c.usage.completion_tokens == sum(x["tokens"] for x in block["candidates"]), c.usage
        assert c.usage.total_tokens == c.usage.prompt_tokens + c.usage.completion_tokens, c.usage
        assert c.choices[0].finish_reason in ("stop", "length") and c.choices[0].logprobs is None
        assert len({x["text"] for x in block["candidates"]}) > 1, "all candidates are the same"
        return f"{block['selector']} chose {block['chosen']} of {self.k}, {c.usage.completion_tokens} tokens in all"

    def streaming(self):
        chunks = self.stream(stream_options={"include_usage": True})
        first, last = chunks[0].choices[0].delta, chunks[-1]
        assert first.role == "assistant" and not first.content, first
        finish = [c for c in chunks if c.choices and c.choices[0].finish_reason]
        assert len(finish) == 1 and finish[0].model_extra["rcvae"]["returned"] == self.k, finish
        assert last.usage.completion_tokens > 0 and not last.choices, last
        assert all(c.usage is None for c in chunks[:-1]) and len({c.id for c in chunks}) == 1
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert text.strip()
        return f"role, {len(chunks) - 3} pieces of text, {finish[0].choices[0].finish_reason}, usage of {last.usage.completion_tokens} tokens"

    def events(self):
        """What the client hides: comments, and [DONE] at the end."""
        body = {"model": self.model, "messages": QUESTION, "max_tokens": 32, "stream": True, "rcvae": {"events": True}}
        status, text = self.post(json.dumps(body).encode())
        lines = text.splitlines()
        assert status == 200 and text.endswith("data: [DONE]\n\n"), text[-200:]
        candidates, selections = lines.count("event: candidate"), lines.count("event: selection")
        assert (candidates, selections) == (self.k, 1), (candidates, selections)
        return f"{candidates} candidates and a selection before the text, [DONE] at the end"

    def tools(self):
        c = self.ask(**WEATHER)
        calls = c.choices[0].message.tool_calls
        assert calls and calls[0].function.name == "get_weather", c.choices[0]
        assert json.loads(calls[0].function.arguments)["city"] in ("Paris", "Rome"), calls
        assert c.choices[0].finish_reason == "tool_calls", c.choices[0]
        return f"{calls[0].function.name}({calls[0].function.arguments}) by {c.model_extra['rcvae']['selector']}"

    def streamed_tools(self):
        chunks = [c for c in self.stream(**WEATHER) if c.choices]
        calls = [call for c in chunks for call in c.choices[0].delta.tool_calls or []]
        name = "".join(call.function.name or "" for call in calls)
        arguments = "".join(call.function.arguments or "" for call in calls)
        assert name == "get_weather" and json.loads(arguments)["city"] in ("Paris", "Rome"), calls
        assert chunks[-1].choices[0].finish_reason == "tool_calls" and calls[0].id, chunks[-1]
        return f"{name}({arguments})"

    def conversation(self):
        """A tool's result and earlier turns go to the upstream."""
        c = self.ask(messages=list(turns("Rome", "Paris"))[:-1], tools=[TOOL])
        assert c.choices[0].message.content or c.choices[0].message.tool_calls, c
        return f"answered after a tool's result, finish reason {c.choices[0].finish_reason}"

    def several(self):
        c = self.ask(n=3)
        block = c.model_extra["rcvae"]
        assert [x.index for x in c.choices] == [0, 1, 2] and len(block["order"]) == 3, c
        assert block["order"][0] == block["chosen"] and block["returned"] == self.k, block
        return f"the 3 best of {self.k}: candidates {', '.join(map(str, block['order']))}"

    def logprobs(self):
        c = self.ask(logprobs=True, top_logprobs=2)
        tokens = c.choices[0].logprobs.content
        assert tokens and all(t.logprob <= 0 for t in tokens), tokens
        return f"{len(tokens)} tokens of the chosen answer"

    def response_format(self):
        schema = {"type": "object", "properties": {"pens": {"type": "integer", "maximum": 99}}, "required": ["pens"], "additionalProperties": False}
        c = self.ask(max_tokens=96, response_format={"type": "json_schema", "json_schema": {"name": "count", "strict": True, "schema": schema}})
        assert isinstance(json.loads(c.choices[0].message.content)["pens"], int), c.choices[0]
        return c.choices[0].message.content.replace("\n", " ")

    def rule(self):
        c = self.ask(extra_body={"rcvae": {"selector": "majority", "k": 5}})
        block = c.model_extra["rcvae"]
        assert (block["selector"], block["returned"]) == ("majority", 5), block
        return "a request names its own rule and k"

    def adaptive(self):
        c = self.ask(extra_body={"rcvae": {"selector": "majority", "k_min": 2, "k_max": 6}})
        block = c.model_extra["rcvae"]
        assert 2 <= block["drawn"] <= 6 and (block["drawn"] == 6 or block["stopped"] in ("decided", "margin")), block
        return f"drew {block['drawn']} of 6" + (f": {block['stopped']}" if "stopped" in block else "")

    def completion(self):
        c = self.client.completions.create(model=self.model, prompt="Three boxes of 12 pens are", max_tokens=24, temperature=0.7)
        assert c.object == "text_completion" and c.choices[0].text and c.model_extra["rcvae"]["returned"] == self.k, c
        return f"/completions: {c.choices[0].finish_reason}"

    def pass_through(self):
        fields = {"temperature": 0, "extra_body": {"rcvae": {"k": 1}}}
        through = self.ask(**fields).to_dict()
        direct = self.ask(client=self.upstream, temperature=0).to_dict()
        assert set(through) == set(direct) and "rcvae" not in through, (sorted(through), sorted(direct))
        assert through["usage"]["completion_tokens"] > 0
        pieces = sum(bool(c.choices and c.choices[0].delta.content) for c in self.stream(**fields))
        assert pieces > 1
        return f"k = 1 has the upstream's own fields ({', '.join(sorted(through))}), and {pieces} pieces streamed"

    def post(self, data):
        request = urllib.request.Request(f"{self.url}/chat/completions", data, {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"})
        try:
            with urllib.request.urlopen(request, timeout=300) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def refuse(self, kind, param=None, client=None, **fields):
        try:
            self.ask(client, **fields)
        except kind as e:
            assert {"message", "type", "param", "code"} <= set(e.body), e.body
            assert param is None or e.body["param"] == param, e.body
            return f"{kind.__name__}: {e.body['message'][:90]}"
        raise AssertionError(f"no {kind.__name__}")

    def refuse_key(self):
        return self.refuse(openai.AuthenticationError, client=self.stranger)

    def refuse_k(self):
        return self.refuse(openai.BadRequestError, "rcvae.k", extra_body={"rcvae": {"k": 100000}})

    def refuse_field(self):
        return self.refuse(openai.BadRequestError, "rcvae", extra_body={"rcvae": {"kk": 2}})

    def refuse_rule(self):
        return self.refuse(openai.BadRequestError, "rcvae.selector", extra_body={"rcvae": {"selector": "best"}})

    def refuse_by_upstream(self):
        return self.refuse(openai.BadRequestError, messages=[{"role": "user", "content": [{"type": "smell", "text": "?"}]}])

    def refuse_json(self):
        status, text = self.post(b'{"model": "x", "messages": [')
        error = json.loads(text)["error"]
        assert status == 400 and {"message", "type", "param", "code"} <= set(error), text
        return f"status 400: {error['message']}"

    def metrics(self):
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/metrics", timeout=10) as response:
            lines = [line for line in response.read().decode().splitlines() if not line.startswith("#")]
        total = {name: sum(float(line.split()[-1]) for line in lines if line.startswith(name)) for name in ("rcvae_requests_total", "rcvae_fallbacks_total")}
        assert total["rcvae_requests_total"] > 10 and total["rcvae_fallbacks_total"] == 0, total
        return f"{total['rcvae_requests_total']:.0f} requests, {total['rcvae_fallbacks_total']:.0f} fallbacks"

    def run(self):
        failed = 0
        for check in (self.models, self.plain, self.streaming, self.events, self.tools, self.streamed_tools, self.conversation, self.several,
                      self.logprobs, self.response_format, self.rule, self.adaptive, self.completion, self.pass_through, self.refuse_key,
                      self.refuse_k, self.refuse_field, self.refuse_rule, self.refuse_by_upstream, self.refuse_json, self.metrics):
            name = check.__name__.replace("_", " ")
            try:
                print(f"ok  {name}: {check()}", flush=True)
            except Exception as e:  # the other checks still run
                failed += 1
                print(f"FAILED  {name}: {type(e).__name__}: {e}", flush=True)
        return failed


if __name__ == "__main__":
    gateway, upstream, model, k = sys.argv[1:]
    sys.exit(Checks(gateway, upstream, model, int(k)).run() > 0)
