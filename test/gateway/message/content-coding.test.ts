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
