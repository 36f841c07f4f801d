// A server of MCP by the official SDK 2.x, which speaks the eras of 2025 and of 2026: over stdin and stdout, or with
// `http` over HTTP, where its first line of output is its address. Each call that reaches it is a line in <file>.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";

const [file, way] = process.argv.slice(2);

const make = ({ era }) => {
  const server = new McpServer({ name: "both-eras", version: "1.0.0" });
  for (const name of ["echo", "change_it"])
    server.registerTool(
      name,
      { description: `${name} of the test`, annotations: { destructiveHint: false } },
      () => {
        appendFileSync(file, `${era} ${name}\n`);
        return { content: [{ type: "text", text: `${era} did ${name}` }] };
      },
    );
  return server;
};

if (way === "http") {
  const handler = createMcpHandler(make);
  const http = createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const answer = await handler.fetch(
      new Request(`http://127.0.0.1${request.url}`, {
        method: request.method,
        headers: request.headers,
        ...(request.method === "POST" ? { body: Buffer.concat(pieces) } : {}),
      }),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    for await (const piece of answer.body ?? []) response.write(piece);
    response.end();
  });
  http.listen(0, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${http.address().port}/mcp\n`));
} else serveStdio(make);
