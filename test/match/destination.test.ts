import { describe, expect, test } from "bun:test";
import {
  canonicalAddress,
  isAddress,
  isLoopbackAddress,
  isPublicAddress,
  wrappedIpv4,
} from "../../src/match/destination.ts";

describe("an address has one spelling", () => {
  const rows: [text: string, canonical: string | undefined][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
    ["2001:DB8::0001", "2001:db8::1"],
    ["2001:0db8:0:0:0:0:0:1", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["::1.2.3.4", "::102:304"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["::", "::"],
    // Spellings that only some programs take for an address.
    ["127.1", undefined],
    ["0x7f.0.0.1", undefined],
    ["0177.0.0.1", undefined],
    ["01.2.3.4", undefined],
    ["2130706433", undefined],
    ["1.2.3.4.", undefined],
    ["256.1.1.1", undefined],
    ["::ffff:1.2.3.04", undefined],
    ["::ffff:1.2.3", undefined],
    ["1::2::3", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["example.com", undefined],
    ["", undefined],
    ["[]", undefined],
  ];
  for (const [text, canonical] of rows)
    test(`"${text}" is ${canonical ?? "no address"}`, () => {
      expect(canonicalAddress(text)).toBe(canonical);
      expect(isAddress(text)).toBe(canonical !== undefined);
    });
});

describe("an address is public only when it is globally reachable", () => {
  const rows: [text: string, isPublic: boolean][] = [
    ["8.8.8.8", true],
    ["2606:4700::1111", true],
    ["10.1.2.3", false],
    ["172.16.0.1", false],
    ["192.168.0.1", false],
    ["100.64.0.1", false],
    ["127.0.0.1", false],
    ["169.254.169.254", false],
    ["0.0.0.0", false],
    ["224.0.0.1", false],
    ["255.255.255.255", false],
    ["192.0.2.1", false],
    ["::1", false],
    ["::", false],
    ["fe80::1", false],
    ["fd00::1", false],
    ["::ffff:10.0.0.1", false],
    ["::ffff:8.8.8.8", true],
    ["::8.8.8.8", false],
    ["64:ff9b::808:808", false],
    ["2002:a00:1::", false],
    ["2001:db8::1", false],
    ["example.com", false],
  ];
  for (const [text, isPublic] of rows)
    test(`${text}: ${isPublic}`, () => expect(isPublicAddress(text)).toBe(isPublic));
});

describe("an address is loopback when connecting to it ends here", () => {
  const rows: [text: string, isLoopback: boolean][] = [
    ["127.0.0.1", true],
    ["127.255.255.254", true],
    ["::1", true],
    ["::ffff:127.0.0.1", true],
    ["0.0.0.0", true],
    ["::", true],
    ["[::1]", true],
    ["128.0.0.1", false],
    ["localhost", false],
    ["10.0.0.1", false],
  ];
  for (const [text, isLoopback] of rows)
    test(`${text}: ${isLoopback}`, () => expect(isLoopbackAddress(text)).toBe(isLoopback));
});

describe("wrappedIpv4", () => {
  const CASES: [string, string | undefined][] = [
    ["64:ff9b::c000:201", "192.0.2.1"],
    ["64:ff9b:1::192.0.2.1", "192.0.2.1"],
    ["2002:c000:201::5", "192.0.2.1"],
    ["::ffff:0:192.0.2.1", "192.0.2.1"],
    ["::192.0.2.1", "192.0.2.1"],
    ["::", undefined],
    ["::1", undefined],
    ["2001:db8::1", undefined],
    ["64:ff9b:2::c000:201", undefined],
    ["192.0.2.1", undefined],
    ["c000.example", undefined],
  ];
  for (const [text, wrapped] of CASES)
    test(`${text} is ${wrapped ?? "itself"}`, () => expect(wrappedIpv4(text)).toBe(wrapped));
});
