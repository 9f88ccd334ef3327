// The official JavaScript client and the AI SDK in front of rcvae serve; one line per check.
//
//   NODE_PATH=… node tools/e2e/clients.mjs GATEWAY MODULES
//
// MODULES is a folder with node_modules that has openai, ai and @ai-sdk/openai-compatible.
import {createRequire} from "node:module";
import path from "node:path";
import {pathToFileURL} from "node:url";

const [url, modules] = process.argv.slice(2);
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
