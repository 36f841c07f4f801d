// Published request-smuggling material against the codec alone; through the real gateway it is run
// elsewhere.

import { describe, expect, test } from "bun:test";
import { BodyDecoder } from "../../src/wire/http1/body.ts";
import { parseRequestHead } from "../../src/wire/http1/head.ts";
import { sharedRows } from "../support/shared/data.ts";
import { latin1, octets } from "../support/wire/octets.ts";

interface GuardianRow {
  readonly id: string;
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly tier: "Compliant" | "Acceptable" | "Ambiguous" | "Severe";
}

/** Characters above one octet go out as UTF-8, the others as one octet each. */
function wireBytes(text: string): Uint8Array {
  const isLatin1 = [...text].every((character) => (character.codePointAt(0) ?? 0) < 0x100);
  return isLatin1 ? octets(text) : new TextEncoder().encode(text);
}

function guardianHead(row: GuardianRow): Uint8Array {
  // The suite holds parsed requests, where an empty path stands for "/"; its rows carry no Host.
  const lines = [`${row.method} ${row.target === "" ? "/" : row.target} ${row.version}`, "Host: example.com"];
  for (const [name, value] of row.headers) lines.push(`${name}: ${value}`);
  return wireBytes(`${lines.join("\r\n")}\r\n\r\n`);
}

describe("http-desync-guardian", () => {
  for (const row of sharedRows<GuardianRow>("suites/desync-guardian.jsonl.gz")) {
    const result = parseRequestHead(guardianHead(row));
    if (row.tier === "Severe") test(`refused: ${row.id}`, () => expect(result.kind).toBe("bad"));
    if (row.tier === "Compliant") test(`accepted: ${row.id}`, () => expect(result.kind).toBe("ok"));
    if (row.tier === "Acceptable" || row.tier === "Ambiguous")
      test(`read one way or refused: ${row.id}`, () => {
        if (result.kind !== "ok") return;
        // Accepted only when there is at most one length field, correctly spelt, so that there is one reading.
        const lengths = result.value.headers.filter(([name]) =>
          /^(content|transfer).?(length|encoding)$/i.test(name),
        );
        expect(lengths.length).toBeLessThan(2);
        expect(["none", "length", "chunked"]).toContain(result.value.framing.kind);
        expect(lengths.length === 0).toBe(result.value.framing.kind === "none");
      });
  }
});

interface SmugglerRow {
  readonly id: string;
  readonly head_b64: string;
}

/** A body that ends at once when read as chunks, and hides a request when read by length; and the other way round. */
const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: example.com\r\n\r\n";
const BODIES = [`0\r\n\r\n${HIDDEN}`, `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`];

describe("smuggler, default list", () => {
  for (const row of sharedRows<SmugglerRow>("suites/smuggler-default.jsonl.gz"))
    test(`no hidden request: ${row.id}`, () => {
      for (const body of BODIES) {
        const filled = Buffer.from(row.head_b64, "base64")
          .toString("latin1")
          .replaceAll("__METHOD__", "POST")
          .replaceAll("__ENDPOINT__", "/")
          .replaceAll("__HOST__", "example.com")
          .replaceAll("__RANDOM__", "7")
          .replaceAll("__REPLACE_CL__", String(body.length));
        const text = `${filled}\r\n${body}`;
        const result = parseRequestHead(octets(text));
        if (result.kind === "bad") continue;
        if (result.kind === "need-more") throw new Error("the head has no end");
        // Accepted only because the disguised field is plainly part of another field's value.
        expect(result.value.headers.filter(([name]) => /transfer.?encoding/i.test(name))).toEqual([]);
        expect(result.value.framing).toEqual({ kind: "length", length: body.length });
        const step = new BodyDecoder(result.value.framing).push(octets(text.slice(result.length)));
        if (step.kind === "bad") throw new Error(step.reason);
        expect(latin1(step.data[0] ?? new Uint8Array(0))).toBe(body);
        expect(result.length + step.consumed).toBe(text.length);
      }
    });
});
