// Real-looking requests and command lines a protocol, for the laws: a few written in
// each protocol's samples.ts, and a spread of the classification cases.

import { PROTOCOLS, type Protocol } from "../../src/model/protocol.ts";
import type { Header, HttpRequest, RequestBody } from "../../src/model/request.ts";
import { splitUrl } from "../../src/protocols/batch.ts";
import { type Case, CORPORA, readCorpus } from "../truth/corpora.ts";
import { requestOf } from "./request-of.ts";

/** How many of the given cases each protocol is tried on. */
const SPREAD = 120;

interface Samples {
  readonly REQUESTS: readonly string[];
  /** Of a protocol without command lines in the corpora. */
  readonly COMMAND_LINES?: readonly (readonly string[])[];
}

const WRITTEN = new Map<Protocol, Samples>();
for (const protocol of PROTOCOLS) WRITTEN.set(protocol, await import(`./${protocol}/samples.ts`));

const corpora = CORPORA.flatMap(readCorpus);

/** Requests of a protocol. */
export function sampleRequests(protocol: Protocol): readonly HttpRequest[] {
  const given = spread(corpora.filter((row) => row.protocol === protocol && row.url !== undefined));
  return [
    ...(WRITTEN.get(protocol)?.REQUESTS ?? []).map((line) => requestOf(line)),
    ...given.flatMap(requestOfCase),
  ];
}

/** Command lines of a protocol. */
export function sampleArgvs(protocol: Protocol): readonly (readonly string[])[] {
  const given = spread(corpora.filter((row) => row.protocol === protocol));
  return [
    ...(WRITTEN.get(protocol)?.COMMAND_LINES ?? []),
    ...given.flatMap((row) => (row.argv ? [row.argv] : [])),
  ];
}

function spread<T>(rows: readonly T[]): readonly T[] {
  const step = Math.max(1, Math.floor(rows.length / SPREAD));
  return rows.filter((_, index) => index % step === 0);
}

function requestOfCase(row: Case): readonly HttpRequest[] {
  const split = splitUrl(row.url ?? "");
  if ("problem" in split || row.method === undefined) return [];
  const headers = Object.entries(row.headers ?? {}).map(([name, value]): Header => [name, String(value)]);
  // Bodies under a content coding belong to anyone who decodes them.
  if (headers.some(([name]) => name.toLowerCase() === "content-encoding")) return [];
  return [{ method: row.method, ...split, headers, body: bodyOf(row) }];
}

function bodyOf({ body, body_b64: base64 }: Case): RequestBody {
  if (body !== undefined) return { kind: "whole", bytes: new TextEncoder().encode(body) };
  if (base64 !== undefined) return { kind: "whole", bytes: new Uint8Array(Buffer.from(base64, "base64")) };
  return { kind: "none" };
}
