// Published request-smuggling material through a real daemon to an upstream that reads
// strictly by itself: whatever arrives there is exactly one well-formed request, the one
// that was sent, or nothing.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { BodyDecoder } from "../../../src/wire/http1/body.ts";
import { parseRequestHead } from "../../../src/wire/http1/head.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { sharedRows } from "../../support/shared/data.ts";
import { octets } from "../../support/wire/octets.ts";
import { connectTls } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";

let origin: RawOrigin;
let daemon: Daemon;
/** Targets of the requests that reached the upstream, or what was wrong with what did. */
const reached: string[] = [];

beforeAll(async () => {
  const read = new WeakMap<object, number>();
  origin = await startRawOrigin((socket, received) => {
    for (;;) {
      const start = read.get(socket) ?? 0;
      const head = parseRequestHead(octets(received.slice(start)));
      if (head.kind === "bad") reached.push(`malformed: ${head.reason}`);
      if (head.kind !== "ok") return;
      const body = new BodyDecoder(head.value.framing).push(octets(received.slice(start + head.length)));
      if (body.kind === "bad") reached.push(`malformed body: ${body.reason}`);
      if (body.kind !== "ok" || !body.done) return;
      read.set(socket, start + head.length + body.consumed);
      reached.push(head.value.target);
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  });
  daemon = await startDaemon({
    trust: [origin],
    policy: `generic:\n  inspect: ["localhost:${origin.port}"]\n  groups: { all: { tiers: [observe, modify, sensitive, break-glass] } }\n  default: allow\n  rules: { allow: { groups: [all] } }\n`,
  });
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

/** Sends raw bytes through an intercepted tunnel; resolves with the first status. A person allows what is held if `isAllowed`. */
async function send(bytes: Uint8Array, isAllowed = false): Promise<string> {
  using client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
  client.send(Buffer.from(bytes).toString("latin1"));
  const answer = client.until("\r\n\r\n");
  let isAnswered = !isAllowed;
  const over = answer.finally(() => {
    isAnswered = true;
  });
  while (!isAnswered) {
    const { approvals } = await daemon.control.call("approvals_list", {});
    for (const { id } of approvals) await daemon.control.call("approvals_allow", { id });
    await Promise.race([over, Bun.sleep(20)]);
  }
  return (await answer).slice(9, 12);
}

interface GuardianRow {
  readonly id: string;
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly tier: "Compliant" | "Acceptable" | "Ambiguous" | "Severe";
}

for (const row of sharedRows<GuardianRow>("suites/desync-guardian.jsonl.gz")) {
  if (row.tier !== "Severe" && row.tier !== "Compliant") continue;
  const isForwarded = row.tier === "Compliant";
  test(`desync-guardian, ${isForwarded ? "forwarded once" : "not forwarded"}: ${row.id}`, async () => {
    const fields = row.headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const target = row.target === "" ? "/" : row.target;
    const length = Number(row.headers.find(([name]) => name.toLowerCase() === "content-length")?.[1] ?? 0);
    const isChunked = row.headers.some(
      ([name, value]) => name.toLowerCase() === "transfer-encoding" && value.includes("chunked"),
    );
    const body = isForwarded ? (isChunked ? "0\r\n\r\n" : "x".repeat(length)) : "0\r\n\r\n";
    const before = reached.length;
    // Methods outside the generic table are held for a person, not refused by the codec.
    const isKnown = /^(GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE)$/.test(row.method);
    const status = await send(
      Buffer.from(
        `${row.method} ${target} ${row.version}\r\nHost: localhost:${origin.port}\r\n${fields}\r\n${body}`,
      ),
      // A form that cannot be read whole is asked about: it may name another method.
      isForwarded && isKnown,
    );
    if (isForwarded && isKnown) {
      expect(status).toBe("200");
      expect(reached.slice(before)).toEqual([target]);
    } else {
      expect(status).toMatch(/^[45]/);
      expect(reached.slice(before)).toEqual([]);
    }
  });
}

const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";
const BODIES = [`0\r\n\r\n${HIDDEN}`, `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`];

test("smuggler, default list: at most the outer request arrives, never the hidden one", async () => {
  for (const row of sharedRows<{ id: string; head_b64: string }>("suites/smuggler-default.jsonl.gz"))
    for (const body of BODIES) {
      const before = reached.length;
      const filled = Buffer.from(row.head_b64, "base64")
        .toString("latin1")
        .replaceAll("__METHOD__", "POST")
        .replaceAll("__ENDPOINT__", "/outer")
        .replaceAll("__HOST__", `localhost:${origin.port}`)
        .replaceAll("__RANDOM__", "7")
        .replaceAll("__REPLACE_CL__", String(body.length));
      const status = await send(octets(`${filled}\r\n${body}`));
      const arrived = reached.slice(before);
      if (status === "200") expect([row.id, arrived]).toEqual([row.id, ["/outer?cb=7"]]);
      else expect([row.id, arrived]).toEqual([row.id, []]);
    }
}, 120_000);
