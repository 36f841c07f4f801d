// A reader of events that stops reading: the gateway goes on, the reader is told what it missed.

import { expect, test } from "bun:test";
import type { EventRow } from "../../src/api/reports.ts";
import { EVENT_TAGS } from "../../src/model/event.ts";
import { builtBinary } from "../support/built-binary.ts";
import { COMPILED_TWICE } from "../support/clients.ts";
import { startGatewayProcess } from "../support/gateway.ts";
import { connectRaw } from "../support/wire/proxy-client.ts";

const POLICY = `generic:
  inspect: ["127.0.0.1:*"]
  default: deny
`;
/** More than twice what the queue of rows and the sockets take. */
const REQUESTS = 4_000;

test("a stopped reader loses the oldest events with a count, and holds nobody up", async () => {
  await using gateway = await startGatewayProcess({ policy: POLICY, env: COMPILED_TWICE });
  const reader = Bun.spawn([builtBinary(), "events", "--follow", "--json"], {
    env: { PATH: process.env.PATH ?? "", HOME: gateway.home, IDDIO_HOME: gateway.home },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const output = reader.stdout.getReader();
  const decoder = new TextDecoder();
  let text = "";
  const readUntil = async (wanted: string) => {
    while (!text.includes(wanted)) {
      const { value, done } = await output.read();
      if (done) throw new Error(`the reader ended: ${text.slice(-500)}`);
      text += decoder.decode(value, { stream: true });
    }
  };
  const { client, answered } = await denied(gateway.port);
  using _ = client;
  await answered(1, "/first");
  await readUntil("/first");
  // Stopped, it takes nothing from its socket; what it is sent piles up there and then in the daemon.
  process.kill(reader.pid, "SIGSTOP");
  await answered(REQUESTS, "/while-stopped");
  process.kill(reader.pid, "SIGCONT");
  await answered(1, "/last");
  await readUntil("/last");
  reader.kill();
  await reader.exited;

  const rows = text
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as EventRow);
  const lost = rows.reduce((sum, row) => sum + ("lost" in row ? row.lost : 0), 0);
  const seen = rows.filter((row) => !("lost" in row) && row.fields.path === "/while-stopped").length;
  expect(lost).toBeGreaterThan(0);
  expect(seen + lost).toBe(REQUESTS);
  for (const row of rows) if (!("lost" in row)) expect(EVENT_TAGS).toContain(row.tag);
}, 120_000);

/** A connection on which requests are denied one after the other. */
async function denied(port: number) {
  const client = await connectRaw(port);
  let count = 0;
  const answered = async (requests: number, path: string) => {
    for (let sent = 0; sent < requests; ) {
      const burst = Math.min(200, requests - sent);
      client.send(`GET http://127.0.0.1:9${path} HTTP/1.1\r\nHost: 127.0.0.1:9\r\n\r\n`.repeat(burst));
      sent += burst;
      count += burst;
      await client.until("HTTP/1.1 403", count);
    }
  };
  return { client, answered };
}
