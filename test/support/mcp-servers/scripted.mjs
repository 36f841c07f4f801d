// A server of MCP that offers what a JSON file says ({ tools, prompts, resources, instructions, slow }), read again for
// every list, and writes down every request that reaches it in <file>.log. Lines in, lines out, no library.
import { appendFileSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [file] = process.argv.slice(2);
const offer = () => JSON.parse(readFileSync(file, "utf8"));
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
let asked = 0;

createInterface({ input: process.stdin }).on("line", (line) => {
  appendFileSync(`${file}.log`, `${line}\n`);
  const { id, method, params } = JSON.parse(line);
  const answer = (result) => send({ id, result });
  if (method === "initialize")
    answer({
      protocolVersion: "2025-11-25",
      capabilities: { tools: {}, prompts: {}, resources: {} },
      serverInfo: { name: "scripted", version: "1" },
      ...(offer().instructions ? { instructions: offer().instructions } : {}),
    });
  else if (method === "tools/list") {
    const { tools, pages } = offer();
    const at = Number(params?.cursor ?? 0);
    answer(
      pages
        ? { tools: pages[at], ...(at + 1 < pages.length ? { nextCursor: String(at + 1) } : {}) }
        : { tools },
    );
  } else if (method === "prompts/list") answer({ prompts: offer().prompts ?? [] });
  else if (method === "resources/list") answer({ resources: offer().resources ?? [] });
  else if (method === "resources/templates/list") answer({ resourceTemplates: offer().templates ?? [] });
  else if (method === "resources/read") answer({ contents: [{ uri: params.uri, text: "content" }] });
  else if (method === "tools/call" && params.name === "ask_model") {
    const own = `s${asked++}`;
    send({ id: own, method: "sampling/createMessage", params: { messages: [], maxTokens: 1 } });
    waiting.set(own, (back) =>
      answer({ content: [{ type: "text", text: JSON.stringify(back.error ?? back.result) }] }),
    );
  } else if (method === "tools/call")
    answer({ content: [{ type: "text", text: "x".repeat(params.arguments?.size ?? 1) }] });
  else if (id !== undefined && method === undefined) {
    waiting.get(id)?.(JSON.parse(line));
    waiting.delete(id);
  } else if (id !== undefined) answer({});
});
const waiting = new Map();
