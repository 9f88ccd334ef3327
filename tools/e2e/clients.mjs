// The official JavaScript client and the AI SDK in front of rcvae serve; one line per check.
//
//   NODE_PATH=… node tools/e2e/clients.mjs GATEWAY MODULES ORIGIN
//
// MODULES is a folder with node_modules that has openai, ai, @ai-sdk/openai-compatible and jsdom; pages of ORIGIN may ask.
import {createRequire} from "node:module";
import path from "node:path";
import {pathToFileURL} from "node:url";

const [url, modules, origin] = process.argv.slice(2);
const require = createRequire(pathToFileURL(path.resolve(modules) + "/"));
const load = name => import(pathToFileURL(require.resolve(name)));
const check = (what, good, seen = "") => {
  if (!good) { console.error("FAILED ", what, seen); process.exit(1); }
  console.log("ok ", what);
};
const messages = [{role: "user", content: "What is 2 + 3?"}];

const {default: OpenAI} = await load("openai");
const client = new OpenAI({baseURL: url, apiKey: "e2e-key", maxRetries: 0});
const answer = await client.chat.completions.create({model: "m", messages});
check("openai: chat", answer.choices[0].message.content.startsWith("Zürich"), answer);
let text = "";
for await (const chunk of await client.chat.completions.create({model: "m", messages, stream: true})) text += chunk.choices[0]?.delta?.content ?? "";
check("openai: stream", text.startsWith("Zürich 東京"), text);
check("openai: the stream helper", (await client.chat.completions.stream({model: "m", messages}).finalContent()).startsWith("Zürich"));
check("openai: n", (await client.chat.completions.create({model: "m", messages, n: 3})).choices.length === 3);
check("openai: a list of prompts", (await client.completions.create({model: "m", prompt: ["a", "b"]})).choices.length === 2);
const refused = await new OpenAI({baseURL: url, apiKey: "wrong", maxRetries: 0}).models.list().then(() => null, e => e);
check("openai: a wrong key", refused?.status === 401, refused);

const {createOpenAICompatible} = await load("@ai-sdk/openai-compatible");
const {generateText, streamText} = await load("ai");
const model = createOpenAICompatible({name: "rcvae", baseURL: url, apiKey: "e2e-key"})("m");
check("ai-sdk: generateText", (await generateText({model, prompt: "Hi."})).text.startsWith("Zürich"));
check("ai-sdk: streamText", (await streamText({model, prompt: "Hi."}).text).startsWith("Zürich"));

// In a page of another site: jsdom asks first, as browsers do, and refuses what was not allowed.
const {JSDOM} = await load("jsdom");
const page = new JSDOM("", {url: origin + "/"}).window;
const pageFetch = (address, {method = "GET", headers, body, signal}) => new Promise((resolve, reject) => {
  const request = new page.XMLHttpRequest();
  request.open(method, String(address));
  for (const [name, value] of new Headers(headers)) if (name !== "user-agent") request.setRequestHeader(name, value);
  request.onload = () => resolve(new Response(request.responseText, {status: request.status,
    headers: request.getAllResponseHeaders().trim().split("\r\n").map(line => line.split(": "))}));
  request.onerror = () => reject(new TypeError("the page may not ask " + address));
  signal?.addEventListener("abort", () => request.abort());
  request.send(body);
});
const inPage = new OpenAI({baseURL: url, apiKey: "e2e-key", maxRetries: 0, dangerouslyAllowBrowser: true, fetch: pageFetch});
const {data, request_id} = await inPage.chat.completions.create({model: "m", messages}).withResponse();
check("a page: chat, and the request's id", data.choices[0].message.content.startsWith("Zürich") && request_id, request_id);
let streamed = "";
for await (const chunk of await inPage.chat.completions.create({model: "m", messages, stream: true})) streamed += chunk.choices[0]?.delta?.content ?? "";
check("a page: stream", streamed.startsWith("Zürich 東京"), streamed);
const wrong = await new OpenAI({baseURL: url, apiKey: "wrong", dangerouslyAllowBrowser: true, maxRetries: 0, fetch: pageFetch}).models.list().then(() => null, e => e);
check("a page reads why it was refused", wrong?.status === 401, wrong);
const other = new JSDOM("", {url: "http://evil.example/"}).window;
const refusal = await new Promise(resolve => {
  const request = new other.XMLHttpRequest();
  request.open("POST", url + "/chat/completions");
  request.setRequestHeader("Content-Type", "application/json");
  request.onload = () => resolve("answered " + request.status);
  request.onerror = () => resolve("refused");
  request.send("{}");
});
check("a page of another site", refusal === "refused", refusal);
process.exit(0); // jsdom keeps connections open
