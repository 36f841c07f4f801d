// Laws of authorities, paths and queries: never a throw, one spelling, and dialects that agree
// where both read.

import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { canonicalHost } from "../../src/match/destination.ts";
import { parseAbsoluteTarget, parseAuthority } from "../../src/wire/http1/connect-request.ts";
import {
  decodePercent,
  parseQuery,
  readPathDecodeFirst,
  readPathSplitFirst,
  splitTarget,
} from "../../src/wire/path.ts";
import { anyText } from "../support/any-text.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";

setDefaultTimeout(fuzzRuns(300_000));

const piece = fc.constantFrom(
  "a",
  "B",
  "1",
  "0",
  "0x",
  "-",
  ".",
  "..",
  "/",
  "//",
  "%2F",
  "%2e",
  "%2E",
  "%25",
  "%",
  "%C3%A4",
  "%ff",
  ";",
  "\\",
  "?",
  "#",
  "&",
  "=",
  "+",
  ":",
  "[",
  "]",
  "::",
  "@",
  "ffff",
  "127",
  "443",
  "http://",
  "\u212a",
  "\u00e4",
  "\0",
  " ",
);
const text = fc.oneof(
  anyText({ maxLength: 30 }),
  fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join("")),
);

test("an authority that is read has one spelling, which reads as itself", () => {
  fc.assert(
    fc.property(text, (sent) => {
      const read = parseAuthority(sent, 443);
      if (read === undefined) return;
      expect(read.host).toMatch(/^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f:]+(?:\d+(?:\.\d+){3})?)$/);
      const spelling = read.host.includes(":") ? `[${read.host}]:${read.port}` : `${read.host}:${read.port}`;
      expect(parseAuthority(spelling)).toEqual(read);
      expect(parseAuthority(spelling.toUpperCase())).toEqual(read);
    }),
    { numRuns: fuzzRuns(3000) },
  );
});

/** The destination of a URL: there a mapped address stays what it is, here it is IPv4; the unspecified one is loopback. */
function destinationOf({ hostname }: URL): string {
  const host = canonicalHost(hostname.replace(/^\[|\]$/g, ""));
  return UNSPECIFIED.get(host) ?? host;
}
const UNSPECIFIED = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

test("an authority that is read is read the same by the URL standard", () => {
  fc.assert(
    fc.property(text, (sent) => {
      const read = parseAuthority(sent, 443);
      if (read === undefined || read.host.includes("_")) return;
      // Internationalised labels are validated there, and only passed on here.
      if (read.host.includes("xn--")) return;
      const url = new URL(`https://${sent}/`);
      expect(url.port === "" ? 443 : Number(url.port)).toBe(read.port);
      expect(destinationOf(url)).toBe(read.host);
    }),
    {
      numRuns: fuzzRuns(3000),
      examples: ["[::]", "[::0]:80", "0.0.0.0", "[::ffff:0:0]"].map((each) => [each]),
    },
  );
});

test("an absolute target that is read is read the same by the URL standard", () => {
  const sent = fc.tuple(
    fc.constantFrom("http://", "HTTPS://", "http:/", ""),
    fc.constantFrom("a.example", "A.example:81", "[::1]", "[::]", "0.0.0.0", "1.2.3.4:80", "u@a", ""),
    text,
  );
  fc.assert(
    fc.property(sent, (parts) => {
      const target = parts.join("");
      const read = parseAbsoluteTarget(target);
      if (read === undefined) return;
      const url = new URL(target);
      expect(`${read.scheme}:`).toBe(url.protocol);
      expect([url.username, url.password]).toEqual(["", ""]);
      if (!read.host.includes("_")) expect(destinationOf(url)).toBe(read.host);
      expect(target.endsWith(read.target) || read.target.startsWith("/?") || read.target === "/").toBe(true);
    }),
    { numRuns: fuzzRuns(3000) },
  );
});

test("where both dialects read a path they name the same segments, and none that climbs", () => {
  fc.assert(
    fc.property(text, (rest) => {
      const path = `/${rest}`;
      const decodeFirst = readPathDecodeFirst(path);
      const splitFirst = readPathSplitFirst(path);
      if (decodeFirst.kind === "ok") expect(splitFirst).toEqual(decodeFirst);
      if (splitFirst.kind === "ambiguous") return;
      for (const segment of splitFirst.segments)
        for (const part of segment.split("/")) expect([".", ".."]).not.toContain(part);
    }),
    { numRuns: fuzzRuns(3000) },
  );
});

test("a path that is read is a path that the URL standard leaves alone", () => {
  fc.assert(
    fc.property(text, (rest) => {
      const path = `/${rest}`;
      if (/[^\x21-\x7e]|[?#"<>`{}^|]/.test(path) || readPathDecodeFirst(path).kind !== "ok") return;
      expect(new URL(`https://a${path}`).pathname).toBe(path);
    }),
    { numRuns: fuzzRuns(3000) },
  );
});

test("a query that is read is read the same by the URL standard", () => {
  fc.assert(
    fc.property(text, (query) => {
      const pairs = parseQuery(query);
      if (pairs === undefined || query.startsWith("?") || !query.isWellFormed()) return;
      // The standard drops a byte order mark at the start of a decoded text; nobody else does.
      if (query.includes("\ufeff") || /%EF%BB%BF/i.test(query)) return;
      expect(pairs.map(([key, value]) => [key, value])).toEqual([...new URLSearchParams(query)]);
    }),
    { numRuns: fuzzRuns(3000) },
  );
});

test("encoding undoes decoding, and a target is its path and query", () => {
  fc.assert(
    fc.property(text, (sent) => {
      const decoded = decodePercent(sent);
      if (sent.isWellFormed()) expect(decodePercent(encodeURIComponent(sent))).toBe(sent);
      if (decoded !== undefined && !sent.includes("%")) expect(decoded).toBe(sent);
      const { path, query } = splitTarget(sent);
      expect(query === undefined ? path : `${path}?${query}`).toBe(sent);
    }),
    { numRuns: fuzzRuns(1000) },
  );
});
