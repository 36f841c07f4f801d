import { describe, expect, test } from "bun:test";
import { parseResponseHead, type WireResponseHead } from "../../../src/wire/http1/head.ts";
import { octets } from "../../support/wire/octets.ts";

function response(status: string, ...lines: string[]): string {
  return [`HTTP/1.1 ${status}`, ...lines, "", ""].join("\r\n");
}

function accepted(text: string, method = "GET"): WireResponseHead {
  const result = parseResponseHead(octets(text), method);
  if (result.kind !== "ok") throw new Error(`not accepted: ${JSON.stringify(result)}`);
  return result.value;
}

describe("a response head is refused when", () => {
  const cases: [why: string, text: string, status: number, reason: string][] = [
    ["a line ends in a bare line feed", "HTTP/1.1 200 OK\nA: b\r\n\r\n", 400, "bare line feed"],
    ["the empty line is a bare line feed", "HTTP/1.1 200 OK\r\n\n", 400, "bare line feed"],
    ["a field is folded", response("200 OK", "A: b", " c"), 400, "folded header line"],
    [
      "there is a space before the colon",
      response("200 OK", "A : b"),
      400,
      "space in or after a header name",
    ],
    ["a value holds a control", response("200 OK", "A: \x00"), 400, "control character in a header value"],
    ["the reason holds a control", response("200 O\x01K"), 400, "malformed first line"],
    ["the reason is endless", response(`200 ${"a".repeat(2000)}`), 400, "reason phrase too long"],
    ["an empty line comes first", "\r\nHTTP/1.1 200 OK\r\n\r\n", 400, "malformed protocol version"],
    ["the version is 2.0", "HTTP/2.0 200 OK\r\n\r\n", 505, "unsupported protocol version"],
    ["it is no HTTP", "ICY 200 OK\r\n\r\n", 400, "malformed protocol version"],
    ["the status has two digits", response("20 OK"), 400, "malformed status code"],
    ["the status has four digits", response("2000 OK"), 400, "malformed status code"],
    ["the status is below 100", response("099 OK"), 400, "malformed status code"],
    ["the status is no number", response("2x0 OK"), 400, "malformed status code"],
    ["two spaces stand before the status", response(" 200 OK"), 400, "malformed status code"],
    ["a tab stands before the status", "HTTP/1.1\t200 OK\r\n\r\n", 400, "malformed status line"],
    [
      "lengths are given twice",
      response("200 OK", "Content-Length: 1", "Content-Length: 1"),
      400,
      "more than one content-length header",
    ],
    ["a length is a list", response("200 OK", "Content-Length: 1, 1"), 400, "malformed content-length"],
    [
      "both lengths are given",
      response("200 OK", "Content-Length: 1", "Transfer-Encoding: chunked"),
      400,
      "both content-length and transfer-encoding",
    ],
    [
      "the coding is unknown",
      response("200 OK", "Transfer-Encoding: cow, chunked"),
      501,
      "unknown transfer coding",
    ],
    [
      "the coding is not chunked",
      response("200 OK", "Transfer-Encoding: gzip"),
      400,
      "transfer-encoding does not end in chunked",
    ],
    [
      "1.0 sends chunks",
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      400,
      "transfer-encoding in http/1.0",
    ],
    [
      "100 has a body",
      response("100 Continue", "Content-Length: 1"),
      400,
      "body in a response that has none",
    ],
    [
      "an interim response closes",
      response("103 Early Hints", "Connection: close"),
      400,
      "connection close in an interim response",
    ],
    [
      "101 has chunks",
      response("101 Switching Protocols", "Transfer-Encoding: chunked"),
      400,
      "body in a response that has none",
    ],
  ];
  for (const [why, text, status, reason] of cases)
    test(why, () => expect(parseResponseHead(octets(text), "GET")).toEqual({ kind: "bad", status, reason }));
});

describe("the framing of a response is", () => {
  const cases: [method: string, text: string, framing: WireResponseHead["framing"], keepAlive: boolean][] = [
    ["GET", response("200 OK", "Content-Length: 5"), { kind: "length", length: 5 }, true],
    ["GET", response("200 OK", "Content-Length: 0"), { kind: "length", length: 0 }, true],
    ["GET", response("200 OK", "Transfer-Encoding: chunked"), { kind: "chunked" }, true],
    [
      "GET",
      response("200 OK", "Transfer-Encoding: chunked", "Connection: close"),
      { kind: "chunked" },
      false,
    ],
    ["GET", response("200 OK"), { kind: "until-close" }, false],
    ["GET", response("200 OK", "Connection: keep-alive"), { kind: "until-close" }, false],
    ["GET", response("404 Not Found", "Content-Length: 2"), { kind: "length", length: 2 }, true],
    ["HEAD", response("200 OK", "Content-Length: 5"), { kind: "none" }, true],
    ["HEAD", response("200 OK", "Transfer-Encoding: chunked"), { kind: "none" }, true],
    ["HEAD", response("200 OK"), { kind: "none" }, true],
    ["GET", response("304 Not Modified", "Content-Length: 5"), { kind: "none" }, true],
    ["GET", response("204 No Content", "Content-Length: 0"), { kind: "none" }, true],
    ["GET", response("100 Continue"), { kind: "none" }, true],
    ["GET", response("103 Early Hints", "Link: </a>"), { kind: "none" }, true],
    ["CONNECT", response("200 Connection established"), { kind: "none" }, true],
    ["CONNECT", response("200 OK", "Content-Length: 5"), { kind: "none" }, true],
    ["CONNECT", response("407 Authenticate", "Content-Length: 5"), { kind: "length", length: 5 }, true],
    ["GET", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", { kind: "length", length: 5 }, false],
    [
      "GET",
      "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n",
      { kind: "length", length: 5 },
      true,
    ],
  ];
  for (const [method, text, framing, keepAlive] of cases)
    test(`${framing.kind} for ${method} ${JSON.stringify(text)}`, () => {
      const head = accepted(text, method);
      expect(head.framing).toEqual(framing);
      expect(head.keepAlive).toBe(keepAlive);
    });
});

describe("an accepted response head says", () => {
  const lines: [text: string, status: number, statusText: string][] = [
    ["HTTP/1.1 200 OK\r\n\r\n", 200, "OK"],
    ["HTTP/1.1 200 \r\n\r\n", 200, ""],
    ["HTTP/1.1 200\r\n\r\n", 200, ""],
    ["HTTP/1.1 404 Not\tFound \x80\xfc\r\n\r\n", 404, "Not\tFound \x80\xfc"],
    ["HTTP/1.1 999 Odd\r\n\r\n", 999, "Odd"],
  ];
  for (const [text, status, statusText] of lines)
    test(`status and reason of ${JSON.stringify(text)}`, () =>
      expect(accepted(text)).toMatchObject({ status, statusText }));

  test("its fields as they were sent, obs-text included", () => {
    const head = accepted(response("200 OK", "Set-Cookie: a=\x81", "set-cookie: b", "Content-Length: 0"));
    expect(head.headers).toEqual([
      ["Set-Cookie", "a=\x81"],
      ["set-cookie", "b"],
      ["Content-Length", "0"],
    ]);
  });

  test("the protocol of an upgrade", () => {
    const head = accepted(response("101 Switching Protocols", "Connection: Upgrade", "Upgrade: SPDY/3.1"));
    expect([head.upgrade, head.framing.kind]).toEqual(["spdy/3.1", "none"]);
  });
});

test("a response head needs more until its last octet", () => {
  const text = response("200 OK", "A: b", "Content-Length: 0");
  for (let length = 0; length < text.length; length++)
    expect(parseResponseHead(octets(text.slice(0, length)), "GET").kind).toBe("need-more");
  expect(parseResponseHead(octets(`${text}surplus`), "GET")).toMatchObject({
    kind: "ok",
    length: text.length,
  });
});

test("a response head beyond the bound is refused", () => {
  const limits = { maxBytes: 60, maxFields: 2 };
  expect(parseResponseHead(octets(response("200 OK", `A: ${"a".repeat(60)}`)), "GET", limits).kind).toBe(
    "bad",
  );
  expect(parseResponseHead(octets(`HTTP/1.1 200 ${"a".repeat(60)}`), "GET", limits).kind).toBe("bad");
  expect(parseResponseHead(octets(response("200 OK", "A:", "B:", "C:")), "GET", limits).kind).toBe("bad");
});
