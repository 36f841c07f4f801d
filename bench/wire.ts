// Measures the codec: nanoseconds per head and gigabytes per second of chunked body, medians of
// rounds. Prints and judges nothing; run it with `bun bench/wire.ts`.

import { BodyDecoder, encodeChunk, encodeLastChunk } from "../src/wire/http1/body.ts";
import { parseAuthority } from "../src/wire/http1/connect-request.ts";
import { parseRequestHead, parseResponseHead, serialiseRequestHead } from "../src/wire/http1/head.ts";
import { NdjsonDecoder } from "../src/wire/ndjson.ts";
import { parseQuery, readPathDecodeFirst, readPathSplitFirst } from "../src/wire/path.ts";

const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

const KUBECTL_GET = octets(
  [
    "GET /api/v1/namespaces/payments/pods?limit=500&labelSelector=app%3Dcheckout HTTP/1.1",
    "Host: 8A1C0F2B7D.gr7.eu-central-1.eks.amazonaws.com",
    "User-Agent: kubectl/v1.32.1 (linux/amd64) kubernetes/e9c9be4",
    "Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
    `Authorization: Bearer k8s-aws-v1.${"aHR0cHM6Ly9zdHMu".repeat(12)}`,
    "Kubectl-Command: kubectl get",
    "Kubectl-Session: 6f1f1e0e-5a3c-4d6d-9f8e-0b6d3f1c2a11",
    "Accept-Encoding: gzip",
    "",
    "",
  ].join("\r\n"),
);

const API_SERVER_ANSWER = octets(
  [
    "HTTP/1.1 200 OK",
    "Audit-Id: 4d9a3a1c-8a7f-4d25-8a51-2d0f0c6f6b1e",
    "Cache-Control: no-cache, private",
    "Content-Encoding: gzip",
    "Content-Type: application/json",
    "Vary: Accept-Encoding",
    "X-Kubernetes-Pf-Flowschema-Uid: 0b1f5a0c-6e39-4f7b-8f43-0f5f6f3a9f1d",
    "X-Kubernetes-Pf-Prioritylevel-Uid: 6a1c6ad5-9d0d-4b52-8d4e-3a8f4a1f7a43",
    "Date: Tue, 03 Mar 2026 10:00:00 GMT",
    "Transfer-Encoding: chunked",
    "",
    "",
  ].join("\r\n"),
);

const ROUNDS = 7;

/** Median, fastest and slowest round, in nanoseconds a call. */
function measure(call: () => unknown, calls: number): { median: number; spread: string } {
  const rounds: number[] = [];
  for (let i = 0; i < calls / 2; i++) call();
  for (let round = 0; round < ROUNDS; round++) {
    const start = Bun.nanoseconds();
    for (let i = 0; i < calls; i++) call();
    rounds.push((Bun.nanoseconds() - start) / calls);
  }
  rounds.sort((a, b) => a - b);
  const shown = (index: number): string => (rounds[index] as number).toFixed(0);
  return { median: rounds[ROUNDS >> 1] as number, spread: `${shown(0)} to ${shown(ROUNDS - 1)}` };
}

function row(name: string, call: () => unknown, calls = 50_000): void {
  const { median, spread } = measure(call, calls);
  process.stdout.write(`${name.padEnd(44)} ${median.toFixed(0).padStart(8)} ns   (${spread})\n`);
}

function chunkedBody(chunks: number, size: number): Uint8Array {
  const data = new Uint8Array(size).fill(0x78);
  const pieces = [...Array.from({ length: chunks }, () => encodeChunk(data)).flat(), encodeLastChunk([])];
  return new Uint8Array(Buffer.concat(pieces));
}

const parsed = parseRequestHead(KUBECTL_GET);
if (parsed.kind !== "ok") throw new Error("the sample request is refused");
const body16k = chunkedBody(4, 4096);
const bodySmall = chunkedBody(64, 32);

row(`request head, ${KUBECTL_GET.length} bytes`, () => parseRequestHead(KUBECTL_GET));
row(`response head, ${API_SERVER_ANSWER.length} bytes`, () => parseResponseHead(API_SERVER_ANSWER, "GET"));
row(`request head incomplete, ${KUBECTL_GET.length - 2} bytes`, () =>
  parseRequestHead(KUBECTL_GET.subarray(0, -2)),
);
row("serialise request head", () => serialiseRequestHead(parsed.value));
row("chunked body, 4 chunks of 4096", () => new BodyDecoder({ kind: "chunked" }).push(body16k));
row("chunked body, 64 chunks of 32", () => new BodyDecoder({ kind: "chunked" }).push(bodySmall));
row("authority", () => parseAuthority("8a1c0f2b7d.gr7.eu-central-1.eks.amazonaws.com:443"));
row("path, decode first", () =>
  readPathDecodeFirst("/api/v1/namespaces/payments/pods/checkout-5d9c7b6f4-abcde/log"),
);
row("path, split first", () => readPathSplitFirst("/storage/v1/b/bucket/o/a%2Fb%2Fc"));
row("query", () => parseQuery("limit=500&labelSelector=app%3Dcheckout&watch=true"));
const line = octets(
  `${JSON.stringify({ type: "ADDED", object: { kind: "Pod", metadata: { name: "a" } } })}\n`,
);
row("ndjson line", () => new NdjsonDecoder().push(line));
