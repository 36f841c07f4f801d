// Whether a TLS connection ended with an alert, read off what was encrypted.

import { describe, expect, test } from "bun:test";
import { TlsTail } from "../../src/wire/tls/tail.ts";

function record(type: number, length: number, version = 3): Uint8Array {
  return Uint8Array.of(type, 3, version, length >> 8, length & 255, ...new Array<number>(length).fill(0x5a));
}

const DATA = record(23, 1_000);
const CASES: [string, Uint8Array[], boolean][] = [
  ["nothing", [], false],
  ["data", [DATA], false],
  ["an alert of TLS 1.3", [DATA, record(23, 19)], true],
  ["an alert of TLS 1.3 alone", [record(23, 19)], true],
  ["an alert in the clear", [DATA, record(21, 2)], true],
  ["an alert of TLS 1.2 with GCM", [DATA, record(21, 26)], true],
  ["an alert of TLS 1.2 with ChaCha20", [DATA, record(21, 18)], true],
  ["an alert of TLS 1.2 with CBC and SHA-384", [DATA, record(21, 80)], true],
  ["an alert, then data", [record(21, 26), record(23, 40)], false],
  ["one octet of data", [DATA, record(23, 18)], false],
  ["three octets of data", [DATA, record(23, 20)], false],
  ["an alert that was cut off", [DATA, record(21, 26).subarray(0, 30)], false],
  ["data that was cut off", [DATA.subarray(0, 500)], false],
];

describe("the end of a TLS connection is confirmed by", () => {
  for (const [name, pieces, wanted] of CASES)
    test(`${name}: ${wanted}`, () => {
      const whole = new Uint8Array(Buffer.concat(pieces));
      for (const size of [1, 7, 96, 97, 100_000]) {
        const tail = new TlsTail();
        for (let at = 0; at < whole.length; at += size) tail.push(whole.subarray(at, at + size));
        expect(tail.isAlert).toBe(wanted);
      }
    });
});
