import { describe, expect, test } from "bun:test";
import { entryCovers } from "../../src/match/entry-covers.ts";
import { type EntryKind, type InspectEntry, parseInspectEntry } from "../../src/match/inspect-entry.ts";
import { InspectIndex } from "../../src/match/inspect-index.ts";

function entryOf(text: string): InspectEntry {
  const parsed = parseInspectEntry(text);
  if ("problem" in parsed) throw new Error(`${text}: ${parsed.problem}`);
  return parsed.entry;
}

function indexOf(...texts: string[]): InspectIndex<number> {
  return new InspectIndex(texts.map((text, value) => ({ entry: entryOf(text), value })));
}

describe("an inspect entry is read", () => {
  const rows: [text: string, kind: EntryKind, host: string, port: number | undefined, isCatchAll: boolean][] =
    [
      ["api.fly.io", "host", "api.fly.io", undefined, false],
      ["API.Fly.IO.", "host", "api.fly.io", undefined, false],
      ["localhost", "host", "localhost", undefined, false],
      ["my_cluster.corp:6443", "host", "my_cluster.corp", 6443, false],
      ["api.fly.io:*", "host", "api.fly.io", undefined, false],
      ["*.eks.amazonaws.com", "suffix", ".eks.amazonaws.com", undefined, false],
      ["**.eks.amazonaws.com", "suffix", ".eks.amazonaws.com", undefined, false],
      ["*.corp:443", "suffix", ".corp", 443, false],
      ["192.168.*.1:*", "glob", "192.168.*.1", undefined, false],
      ["api-*.example.com", "glob", "api-*.example.com", undefined, false],
      ["{a,b}.example.com", "glob", "{a,b}.example.com", undefined, false],
      ["*example.com", "glob", "*example.com", undefined, false],
      ["*.c?m", "glob", "*.c?m", undefined, false],
      ["127.0.0.1:*", "address", "127.0.0.1", undefined, false],
      ["::1", "address", "::1", undefined, false],
      ["[::1]:6443", "address", "::1", 6443, false],
      ["[::1]", "address", "::1", undefined, false],
      ["[2001:DB8::1]:*", "address", "2001:db8::1", undefined, false],
      ["::ffff:10.0.0.1", "address", "10.0.0.1", undefined, false],
      ["10.0.0.0/8", "cidr", "10.0.0.0/8", undefined, false],
      ["10.0.0.0/8:6443", "cidr", "10.0.0.0/8", 6443, false],
      ["fd00::/8", "cidr", "fd00::/8", undefined, false],
      ["[fd00::/8]:6443", "cidr", "fd00::/8", 6443, false],
      ["::ffff:10.0.0.0/104", "cidr", "10.0.0.0/8", undefined, false],
      ["*", "any", "*", undefined, true],
      ["**", "any", "*", undefined, true],
      ["*:443", "any", "*", 443, true],
      ["*:*", "any", "*", undefined, true],
      ["*.*", "glob", "*.*", undefined, true],
      ["*.*.*:443", "glob", "*.*.*", 443, true],
      ["?*", "glob", "?*", undefined, true],
      ["[!x]*", "glob", "[!x]*", undefined, true],
      ["{*,a}", "glob", "{*,a}", undefined, true],
      ["0.0.0.0/0", "cidr", "0.0.0.0/0", undefined, true],
      ["1.2.3.4/0", "cidr", "1.2.3.4/0", undefined, true],
      ["::/0", "cidr", "::/0", undefined, true],
      ["[::/0]:443", "cidr", "::/0", 443, true],
      ["::ffff:0:0/96", "cidr", "0.0.0.0/0", undefined, true],
    ];
  for (const [text, kind, host, port, isCatchAll] of rows)
    test(`"${text}" as ${kind}`, () => {
      const entry = entryOf(text);
      expect([entry.kind, entry.host, entry.port, entry.isCatchAll]).toEqual([kind, host, port, isCatchAll]);
      expect(entry.text).toBe(text);
    });
});

describe("an entry that could never match is refused with a reason", () => {
  const rows: [text: string, problem: RegExp][] = [
    ["", /empty/],
    [" api.fly.io", /white space/],
    ["api.fly.io\n", /white space/],
    ["https://api.fly.io", /without scheme/],
    ["api.fly.io/v1", /neither a host nor a CIDR/],
    ["api.fly.io:0", /not a port/],
    ["api.fly.io:65536", /not a port/],
    ["api.fly.io:", /not a port/],
    ["api.fly.io:0443", /not a port/],
    ["api.fly.io:https", /not a port/],
    [":443", /host is empty/],
    [".", /label of the host is empty/],
    [".example.com", /write '\*\.example\.com'/],
    ["a..b", /label of the host is empty/],
    ["*..b", /label of the host is empty/],
    ["-a.b", /hyphen/],
    ["a b", /white space/],
    ["a@b", /'@' cannot/],
    ["user:pw@host", /not a port/],
    ["bücher.example", /'xn--bcher-kva\.example'/],
    ["*.Bücher.example:443", /'xn--bcher-kva\.example'/],
    ["api-*.bücher.example", /beginning with 'xn--'/],
    ["ü_ü@x", /not an international name/],
    [`${"a".repeat(64)}.b`, /longer than 63/],
    [`${"a.".repeat(127)}bc`, /longer than 253/],
    ["127.1", /four decimal numbers/],
    ["2130706433", /four decimal numbers/],
    ["0x7f.0.0.1", /four decimal numbers/],
    ["1.2.3.0x4", /four decimal numbers/],
    ["192.0.2.256", /four decimal numbers/],
    ["10.0.0.0/33", /prefix length/],
    ["10.0.0.0/", /prefix length/],
    ["10.0.0.0/-1", /prefix length/],
    ["10.0.0.0/8/9", /neither/],
    ["example.com/24", /neither/],
    ["fd00::/129", /prefix length/],
    ["::ffff:10.0.0.0/8", /prefix length/],
    ["fd00::*", /CIDR/],
    ["2001:db8:::1", /not an IPv6/],
    ["[::1", /not an IPv6/],
    ["[abc", /never closed/],
    ["{a,b", /never closed/],
    ["a|b*", /'\|' cannot/],
  ];
  for (const [text, problem] of rows)
    test(JSON.stringify(text.slice(0, 30)), () => {
      const parsed = parseInspectEntry(text);
      expect("problem" in parsed ? parsed.problem : `accepted as ${parsed.entry.kind}`).toMatch(problem);
    });
});

describe("the most specific entry decides, whatever the order of the list", () => {
  const rows: [entries: string[], host: string, port: number, found: string | undefined][] = [
    [["*.b.c", "a.b.c", "a.b.c:443"], "a.b.c", 443, "a.b.c:443"],
    [["*.b.c", "a.b.c", "a.b.c:443"], "a.b.c", 8443, "a.b.c"],
    [["*.b.c", "a.b.c:443"], "a.b.c", 8443, "*.b.c"],
    [["*.amazonaws.com", "*.eks.amazonaws.com"], "x.eks.amazonaws.com", 443, "*.eks.amazonaws.com"],
    [["*.amazonaws.com", "*.eks.amazonaws.com"], "a.b.c.eks.amazonaws.com", 443, "*.eks.amazonaws.com"],
    [["*.amazonaws.com", "*.eks.amazonaws.com"], "eks.amazonaws.com", 443, "*.amazonaws.com"],
    [["*.amazonaws.com"], "amazonaws.com", 443, undefined],
    [["*.amazonaws.com"], "xamazonaws.com", 443, undefined],
    [["*.amazonaws.com"], "amazonaws.com.evil.example", 443, undefined],
    [["*.eks.amazonaws.com:443", "*.amazonaws.com"], "x.eks.amazonaws.com", 80, "*.amazonaws.com"],
    [["*.b.c", "*.b.c:443"], "a.b.c", 443, "*.b.c:443"],
    [["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3"], "10.1.2.3", 443, "10.1.2.3"],
    [["10.0.0.0/8", "10.1.0.0/16"], "10.1.2.3", 443, "10.1.0.0/16"],
    [["10.0.0.0/8", "10.1.0.0/16:6443"], "10.1.2.3", 443, "10.0.0.0/8"],
    [["10.0.0.0/8"], "11.0.0.1", 443, undefined],
    [["10.64.0.0/10"], "10.127.255.255", 443, "10.64.0.0/10"],
    [["10.64.0.0/10"], "10.128.0.0", 443, undefined],
    [["10.0.0.0/8"], "::ffff:10.0.0.1", 443, "10.0.0.0/8"],
    [["10.0.0.0/8"], "10.example.com", 443, undefined],
    [["fd00::/8", "fd00:1::/32"], "fd00:1::5", 443, "fd00:1::/32"],
    [["fd00::/9"], "fd80::1", 443, undefined],
    [["fd00::/8"], "[FD00::1]", 443, "fd00::/8"],
    [["192.168.*.1:*", "192.168.0.0/16"], "192.168.7.1", 443, "192.168.0.0/16"],
    [["192.168.*.1:*"], "192.168.7.1", 6443, "192.168.*.1:*"],
    [["192.168.*.1:*"], "192.168.7.2", 6443, undefined],
    [["api-*.b.c", "*.b.c"], "api-1.b.c", 443, "*.b.c"],
    [["api-*", "api-1*"], "api-1.b.c", 443, "api-1*"],
    [["*", "api-*"], "api-1.b.c", 443, "api-*"],
    [["*.*", "*"], "a.b", 443, "*.*"],
    [["*", "*:443"], "a.b", 443, "*:443"],
    [["*", "0.0.0.0/0", "192.168.*.1"], "192.168.7.1", 443, "192.168.*.1"],
    [["0.0.0.0/0"], "a.b", 443, undefined],
    [["0.0.0.0/0"], "::1", 443, undefined],
    [["::/0"], "::1", 443, "::/0"],
    [["::/0"], "1.2.3.4", 443, undefined],
    [["*"], "1.2.3.4", 443, "*"],
    [["*"], "::1", 443, "*"],
    [["A.B.C"], "a.b.c.", 443, "A.B.C"],
    [["a.b.c"], "A.B.C", 443, "a.b.c"],
    [["::1"], "0:0:0:0:0:0:0:1", 443, "::1"],
    [["a.b", "a.b"], "a.b", 443, "a.b"],
  ];
  for (const [entries, host, port, found] of rows)
    test(`${entries.join(" ")} for ${host}:${port}: ${found ?? "none"}`, () => {
      expect(indexOf(...entries).lookup(host, port)?.entry.text).toBe(found);
      const reversed = [...entries].reverse();
      expect(indexOf(...reversed).lookup(host, port)?.entry.text).toBe(found);
    });

  test("equally specific entries go to the first listed", () => {
    expect(indexOf("a.b:*", "A.B").lookup("a.b", 443)?.value).toBe(0);
    expect(indexOf("*.b", "*.B").lookup("a.b", 443)?.value).toBe(0);
    expect(indexOf("x?", "y?", "?1", "?1").lookup("z1", 443)?.value).toBe(2);
  });
});

describe("an entry covers another when it surely matches all of it", () => {
  const rows: [outer: string, inner: string, covers: boolean][] = [
    ["*.b.c", "a.b.c", true],
    ["*.b.c", "a.b.c:443", true],
    ["*.b.c:443", "a.b.c:443", true],
    ["*.b.c:443", "a.b.c", false],
    ["*.b.c", "*.a.b.c", true],
    ["*.a.b.c", "*.b.c", false],
    ["*.b.c", "b.c", false],
    ["10.0.0.0/8", "10.1.2.3", true],
    ["10.0.0.0/8", "10.1.0.0/16", true],
    ["10.1.0.0/16", "10.0.0.0/8", false],
    ["10.0.0.0/8", "fd00::/8", false],
    ["a*", "ab", true],
    ["a*", "ab*", false],
    ["a*", "a*", true],
    ["*", "a*", true],
    ["*", "10.0.0.0/8", true],
    ["*:443", "a.b", false],
  ];
  for (const [outer, inner, covers] of rows)
    test(`${outer} and ${inner}: ${covers}`, () =>
      expect(entryCovers(entryOf(outer), entryOf(inner))).toBe(covers));
});
