// The decoded octets of a body count against the limit on bodies: eight kilobytes that unpack to
// eight megabytes are no body that a classifier is given.

import { expect, test } from "bun:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { decodeContent } from "../../../src/gateway/message/content-coding.ts";

const PACKERS = [
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
] as const;

test("a body that unpacks to more than the limit is not read", () => {
  const bomb = Buffer.from("a&".repeat(4_000_000));
  const plain = Buffer.from("a&".repeat(500));
  for (const [coding, pack] of PACKERS) {
    const headers = [["Content-Encoding", coding]] as const;
    expect([coding, decodeContent(headers, pack(bomb), 1024 * 1024)]).toEqual([coding, undefined]);
    expect([coding, decodeContent(headers, pack(plain), 999)]).toEqual([coding, undefined]);
    expect(Buffer.from(decodeContent(headers, pack(plain), 1000) ?? []).equals(plain)).toBe(true);
  }
});

const FORM = ["Content-Type", "application/x-www-form-urlencoded"] as const;
const READS = Buffer.from("Action=ListUsers&Version=2010-05-08");
const HIDDEN = Buffer.from("&Action=DeleteUser&UserName=x&z=");

/** Gzip with this name, comment or extra field in its header. */
function gzipWith(flag: number, field: Uint8Array): Uint8Array {
  const plain = gzipSync(READS);
  const head = Buffer.from(plain.subarray(0, 10));
  head[3] = flag;
  return Buffer.concat([head, field, plain.subarray(10)]);
}

const END = Buffer.from([0]);
const TEXT = ["Content-Type", "application/octet-stream"] as const;
const POLYGLOTS: readonly (readonly [what: string, coding: string, body: Uint8Array])[] = [
  ...PACKERS.map(
    ([coding, pack]) => [`behind ${coding}`, coding, Buffer.concat([pack(READS), HIDDEN])] as const,
  ),
  ["a comment", "gzip", gzipWith(16, Buffer.concat([HIDDEN, END]))],
  ["a name", "x-gzip", gzipWith(8, Buffer.concat([HIDDEN, END]))],
  ["an extra field", "gzip", gzipWith(4, Buffer.concat([Buffer.from([HIDDEN.length, 0]), HIDDEN]))],
  ["a second member", "gzip", Buffer.concat([gzipSync(READS), gzipWith(16, Buffer.concat([HIDDEN, END]))])],
];

test("a packed body that says something else to a server that does not unpack is not read", () => {
  for (const [what, coding, body] of POLYGLOTS)
    for (const type of [[FORM], [["Content-Type", "multipart/mixed; boundary=x"] as const], [TEXT], []]) {
      const decoded = decodeContent([["Content-Encoding", coding], ...type], body);
      expect([what, type, decoded]).toEqual([what, type, undefined]);
    }
});

test("in a form no field that decides may stand in the packed octets, escaped or not", () => {
  for (const hidden of [
    "&Action=DeleteUser",
    "&%41ction=DeleteUser",
    "&_method=DELETE",
    "Content-Disposition: x",
  ]) {
    // Stored as it is, the text can be read without unpacking.
    const stored = deflateSync(Buffer.from(`a=b${hidden}`), { level: 0 });
    expect(decodeContent([["Content-Encoding", "deflate"], FORM], stored)).toBeUndefined();
    expect(decodeContent([["Content-Encoding", "deflate"], TEXT], stored)).toBeDefined();
  }
});

test("octets that are text as they come are not taken for packed ones", () => {
  const packed = brotliCompressSync(Buffer.from("{}"));
  expect(decodeContent([["Content-Encoding", "br"]], packed)).toBeDefined();
  expect(decodeContent([["Content-Encoding", "br"]], Buffer.from('{"query":"mutation{x}"}'))).toBeUndefined();
});

test("what clients pack is read: any level, a plain file name in the header", () => {
  const plain = Buffer.from(
    JSON.stringify({ items: Array.from({ length: 3000 }, (_, index) => index * 7919) }),
  );
  for (const level of [1, 6, 9])
    for (const [coding, body] of [
      ["gzip", gzipSync(plain, { level })],
      ["deflate", deflateSync(plain, { level })],
      ["br", brotliCompressSync(plain)],
    ] as const)
      expect(Buffer.from(decodeContent([["Content-Encoding", coding]], body) ?? []).equals(plain)).toBe(true);
  const named = gzipWith(8, Buffer.from("batch-1 (2).json\0".replace(/[()]/g, "")));
  expect(Buffer.from(decodeContent([["Content-Encoding", "gzip"], FORM], named) ?? []).equals(READS)).toBe(
    true,
  );
});
