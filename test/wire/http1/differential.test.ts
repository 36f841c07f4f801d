// The codec beside node's own HTTP/1.1 (llhttp), on loopback: the same octets to both. Where both
// accept a message they must have read the same one; where we accept and node refuses there must be
// a stated reason. The other way round is what being strict means.

import { expect, setDefaultTimeout, test } from "bun:test";
import { encodeChunk, encodeLastChunk } from "../../../src/wire/http1/body.ts";
import { parseTransferEncoding } from "../../../src/wire/http1/framing.ts";
import { serialiseRequestHead } from "../../../src/wire/http1/head.ts";
import { fuzzRuns, fuzzSeed } from "../../support/fuzz-runs.ts";
import { askNode, base64, type PeerMessage, type PeerReading } from "../../support/wire/ask-node.ts";
import { mutate, randomOf } from "../../support/wire/mutations.ts";
import { join, latin1, octets } from "../../support/wire/octets.ts";
import {
  type ReadConnection,
  type ReadMessage,
  readRequests,
  readResponse,
} from "../../support/wire/read-messages.ts";

setDefaultTimeout(fuzzRuns(300_000));

const REQUESTS = [
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET /api/v1/pods?limit=500&x=%2F HTTP/1.1\r\nHost: a.example:443\r\nUser-Agent: kubectl/v1.32 (linux/amd64)\r\nAccept: */*\r\n\r\n",
  "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
  "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
  "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n",
  'PATCH /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5;a="b;c"\r\nhello\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n',
  "DELETE /a HTTP/1.1\r\nHost: a\r\nX-A:  1 \r\nx-a: 2\r\nX-B: \x80\xff\r\nX-C:\r\nConnection: close\r\n\r\n",
  "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET http://a.example/b?c HTTP/1.1\r\nHost: a.example\r\n\r\n",
  "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
  "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
];

const RESPONSES = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
  "HTTP/1.1 200 OK\r\n\r\nuntil the end",
  "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a\r\nset-cookie: b\x80\r\n\r\nok",
  "HTTP/1.1 204 No Content\r\n\r\n",
  "HTTP/1.1 304 Not Modified\r\nETag: a\r\nContent-Length: 5\r\n\r\n",
  "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nframes",
  "HTTP/1.1 403 Not \xe4llowed\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno",
];

/** Fields with what frames a message in the spelling that we forward, and Upgrade's list in one spelling. */
function spelled(headers: readonly (readonly [string, string])[]): [string, string][] {
  return headers.map(([name, value]) => {
    const kind = name.toLowerCase();
    if (kind === "content-length") return [name, String(Number(value))];
    if (kind === "upgrade")
      return [
        name,
        value
          .split(",")
          .flatMap((each) => each.trim() || [])
          .join(", "),
      ];
    const coding = kind === "transfer-encoding" ? parseTransferEncoding(value) : undefined;
    return [name, coding?.kind === "chunked" ? coding.canonical : value];
  });
}

/** Node's message in our shape. */
function normalised(message: PeerMessage): ReadMessage {
  const pairs = (flat: readonly string[]): [string, string][] => {
    const result: [string, string][] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) result.push([flat[i] as string, flat[i + 1] as string]);
    return result;
  };
  const headers = spelled(pairs(message.headers));
  const line =
    message.status === undefined
      ? [message.method ?? "", message.target ?? ""]
      : [String(message.status), message.statusText ?? ""];
  return {
    line,
    version: message.version,
    headers,
    whole: message.whole,
    body: Buffer.from(message.body ?? "", "base64").toString("latin1"),
    trailers: pairs(message.trailers ?? []),
  };
}

const NODE_METHODS = new Set((await import("node:http")).METHODS);

/** Where node may read otherwise, or refuse, and why that is harmless. */
function isOnPurpose(message: ReadMessage, text: string, method?: string): boolean {
  // Node knows a closed list of methods; the classifiers call the others unknown.
  const [first = ""] = message.line;
  if (/^[A-Za-z]/.test(first) && !NODE_METHODS.has(first)) return true;
  // Node refuses a tab after a length; white space around values is not forwarded.
  if (/^content-length:.*\t/im.test(text)) return true;
  // Node refuses white space in the line of a chunk's size; chunks are written anew.
  if (/^[0-9a-f]+(?:[ \t]|;.*[ \t])/im.test(text)) return true;
  // Where no body can be, nothing frames it: Transfer-Encoding, and a length beside one, are left out.
  const hasNoBody = method === "HEAD" || first === "204" || first === "304";
  if (hasNoBody && /^transfer-encoding:/im.test(text)) return true;
  // Odd spellings of Transfer-Encoding are read the way the RFC says, and never forwarded: see the last test.
  return ![...text.matchAll(/^transfer-encoding:(.*)\r$/gim)].every(([, value]) =>
    /^ ?(gzip, )?chunked$/i.test(value ?? ""),
  );
}

/** The first difference that matters, as text; undefined when there is none. */
function difference(
  ours: ReadConnection,
  theirs: PeerReading,
  text: string,
  method?: string,
): string | undefined {
  for (const [index, mine] of ours.messages.entries()) {
    if (isOnPurpose(mine, text, method)) return undefined;
    const other = theirs.messages[index];
    if (other === undefined) {
      // A message that is cut off may never be announced by node.
      if (!mine.whole && theirs.error === null) return undefined;
      return `message ${index} is refused by node (${theirs.error})`;
    }
    const wanted = normalised(other);
    const shown = { line: mine.line, version: mine.version, headers: spelled(mine.headers) };
    if (!Bun.deepEquals(shown, { line: wanted.line, version: wanted.version, headers: wanted.headers }))
      return `message ${index} has another head: ${JSON.stringify(wanted)}`;
    if (mine.whole !== wanted.whole && (mine.whole || wanted.whole))
      return `message ${index} ends elsewhere: ${JSON.stringify(wanted)}`;
    if (mine.whole && (mine.body !== wanted.body || !Bun.deepEquals(mine.trailers, wanted.trailers)))
      return `message ${index} has another body: ${JSON.stringify(wanted)}`;
  }
  if (ours.stop === "end" && theirs.messages.length > ours.messages.length) return "node reads more messages";
  return undefined;
}

function corpus(seeds: readonly string[], mutants: number, seed: number): string[] {
  const random = randomOf(seed);
  const texts = [...seeds];
  while (texts.length < seeds.length + mutants)
    texts.push(mutate(seeds[random(seeds.length)] as string, random));
  return texts;
}

test("requests that both accept are the same request", async () => {
  const texts = corpus(REQUESTS, fuzzRuns(2500), fuzzSeed(1));
  const readings = await askNode({ requests: texts.map(base64) }, texts.length);
  if (readings === undefined) return;
  const problems: string[] = [];
  let accepted = 0;
  for (const [index, text] of texts.entries()) {
    const ours = readRequests(octets(text));
    accepted += ours.messages.length;
    const problem = difference(ours, readings[index] as PeerReading, text);
    if (problem !== undefined)
      problems.push(`${JSON.stringify(text)}\n  ${JSON.stringify(ours)}\n  ${problem}`);
  }
  expect(problems).toEqual([]);
  expect(accepted).toBeGreaterThan(500);
});

for (const method of ["GET", "HEAD"])
  test(`responses to ${method} that both accept are the same response`, async () => {
    const texts = corpus(RESPONSES, fuzzRuns(600), fuzzSeed(2));
    const readings = await askNode({ responses: texts.map(base64), method }, texts.length);
    if (readings === undefined) return;
    const problems: string[] = [];
    let accepted = 0;
    for (const [index, text] of texts.entries()) {
      const ours = readResponse(octets(text), method);
      accepted += ours.messages.length;
      const problem = difference(ours, readings[index] as PeerReading, text, method);
      if (problem !== undefined)
        problems.push(`${JSON.stringify(text)}\n  ${JSON.stringify(ours)}\n  ${problem}`);
    }
    expect(problems).toEqual([]);
    expect(accepted).toBeGreaterThan(150);
  });

test("what is forwarded of an accepted request is read by node as it was judged", async () => {
  const texts = corpus(REQUESTS, fuzzRuns(2500), fuzzSeed(3));
  const judged: ReadMessage[] = [];
  const forwarded: string[] = [];
  for (const text of texts)
    for (const message of readRequests(octets(text)).messages) {
      const [method = "", target = ""] = message.line;
      // A 1.0 request may lack Host; the gateway adds it.
      if (!message.whole || message.version === "1.0" || !NODE_METHODS.has(method)) continue;
      judged.push(message);
      forwarded.push(forward(message, method, target));
    }
  const readings = await askNode({ requests: forwarded.map(base64) }, forwarded.length);
  if (readings === undefined) return;
  expect(judged.length).toBeGreaterThan(400);
  for (const [index, message] of judged.entries()) {
    const reading = readings[index] as PeerReading;
    const { line, headers, body, trailers } = message;
    expect(reading.messages.map(normalised)).toEqual([
      { line, version: "1.1", headers: spelled(headers), whole: true, body, trailers },
    ]);
  }
});

function forward(message: ReadMessage, method: string, target: string): string {
  const head = latin1(serialiseRequestHead({ method, target, headers: message.headers }));
  if (!message.headers.some(([name]) => name.toLowerCase() === "transfer-encoding"))
    return head + message.body;
  return head + latin1(join([...encodeChunk(octets(message.body)), encodeLastChunk(message.trailers)]));
}
