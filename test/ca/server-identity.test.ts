// Which names a certificate is for: exact ones, whole-label wildcards, addresses; nothing else.

import { describe, expect, test } from "bun:test";
import { judge } from "../support/policy/judge-chain.ts";

const ip = (textual: string): Uint8Array => Uint8Array.from(textual.split(".").map(Number));

const CASES: [name: string, certified: string | Uint8Array, isMatch: boolean][] = [
  ["example.com", "example.com", true],
  ["example.com", "EXAMPLE.com", true],
  ["example.com", "example.com.", false],
  ["example.com", "www.example.com", false],
  ["www.example.com", "example.com", false],
  ["a.example.com", "*.example.com", true],
  ["example.com", "*.example.com", false],
  ["b.a.example.com", "*.example.com", false],
  ["a_b.example.com", "*.example.com", true],
  ["xn--bcher-kva.example.com", "*.example.com", true],
  ["abc.example.com", "a*.example.com", false],
  ["abc.example.com", "*c.example.com", false],
  ["a.b.example.com", "a.*.example.com", false],
  ["b.a.example.com", "*.*.example.com", false],
  ["example.com", "*", false],
  ["com", "*", false],
  ["example.com", "*.com", false],
  ["example.uk", "*.uk", false],
  ["example.co.uk", "*.co.uk", false],
  ["www.example.co.uk", "*.example.co.uk", true],
  ["node.internal", "*.internal", true],
  ["a.localhost", "*.localhost", true],
  ["localhost", "localhost", true],
  ["example.com", "example.com\0.evil.org", false],
  ["127.0.0.1", "127.0.0.1", false],
  ["127.0.0.1", ip("127.0.0.1"), true],
  ["127.0.0.1", ip("127.0.0.2"), false],
  ["127.0.0.1", "*.0.0.1", false],
  ["2001:db8::1", Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), true],
  ["2001:0DB8:0:0::1", Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), true],
  ["10.0.0.1", Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1]), false],
];

describe("a certificate", () => {
  for (const [name, certified, isMatch] of CASES) {
    const shown =
      typeof certified === "string" ? JSON.stringify(certified) : `the address ${certified.join(".")}`;
    test(`for ${shown} ${isMatch ? "is" : "is not"} one for ${name}`, () => {
      // As kubectl takes it, so that only the name can be what is refused.
      const verdict = judge({ names: [certified] }, { name, source: "cluster" });
      expect(verdict.kind).toBe(isMatch ? "verified" : "refused");
    });
  }
});
