import { describe, expect, test } from "bun:test";
import { parseRequestHead, type WireRequestHead } from "../../../src/wire/http1/head.ts";
import { octets } from "../../support/wire/octets.ts";

function parse(text: string): ReturnType<typeof parseRequestHead> {
  return parseRequestHead(octets(text));
}

/** A request with these lines between the Host field and the empty line. */
function request(...lines: string[]): string {
  return ["POST /a HTTP/1.1", "Host: example.com", ...lines, "", ""].join("\r\n");
}

function accepted(text: string): WireRequestHead {
  const result = parse(text);
  if (result.kind !== "ok") throw new Error(`not accepted: ${JSON.stringify(result)}`);
  return result.value;
}

describe("a request head is refused when", () => {
  const cases: [why: string, text: string, status: number, reason: string][] = [
    ["a line ends in a bare line feed", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "bare line feed"],
    ["a field line ends in a bare line feed", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400, "bare line feed"],
    ["the empty line is a bare line feed", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "bare line feed"],
    ["a carriage return stands alone in a value", request("A: b\rc"), 400, "bare carriage return"],
    [
      "a carriage return stands alone in the request line",
      "GET / HTTP/1.1\rHost: a\r\n\r\n",
      400,
      "bare carriage return",
    ],
    ["a carriage return comes twice", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400, "bare carriage return"],
    ["a field is folded", request("A: b", " c"), 400, "folded header line"],
    ["a field is folded with a tab", request("A: b", "\tc"), 400, "folded header line"],
    [
      "the first field line starts with a space",
      "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
      400,
      "folded header line",
    ],
    ["there is a space before the colon", request("A : b"), 400, "space in or after a header name"],
    ["there is a tab before the colon", request("A\t: b"), 400, "space in or after a header name"],
    ["a field has no name", request(": b"), 400, "empty header name"],
    ["a field line has no colon", request("abc"), 400, "header line without a colon"],
    ["a name holds a NUL", request("A\0: b"), 400, "illegal character in a header name"],
    [
      "a name holds a non-ASCII letter",
      request("Tran\xc5\xbffer-Encoding: chunked"),
      400,
      "illegal character in a header name",
    ],
    ["a value holds a NUL", request("A: b\0c"), 400, "control character in a header value"],
    ["a value holds a vertical tab", request("A: \x0bchunked"), 400, "control character in a header value"],
    ["a value holds a DEL", request("A: b\x7f"), 400, "control character in a header value"],
    ["there are two Host fields", request("Host: example.com"), 400, "more than one host header"],
    ["there is no Host field in 1.1", "GET / HTTP/1.1\r\n\r\n", 400, "missing host header"],
    ["Host is empty in 1.1", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "missing host header"],
    ["Host holds a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "malformed host header"],
    ["Host holds userinfo", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, "malformed host header"],
    ["Host is a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "malformed host header"],
    ["Host is not ASCII", "GET / HTTP/1.1\r\nHost: \xe4.example\r\n\r\n", 400, "malformed host header"],
    [
      "lengths are given twice and differ",
      request("Content-Length: 1", "Content-Length: 2"),
      400,
      "more than one content-length header",
    ],
    [
      "lengths are given twice and agree",
      request("Content-Length: 1", "content-length: 1"),
      400,
      "more than one content-length header",
    ],
    ["a length is a list", request("Content-Length: 1, 1"), 400, "malformed content-length"],
    ["a length is signed", request("Content-Length: +1"), 400, "malformed content-length"],
    ["a length is negative", request("Content-Length: -1"), 400, "malformed content-length"],
    ["a length is hexadecimal", request("Content-Length: 0x10"), 400, "malformed content-length"],
    ["a length is empty", request("Content-Length: "), 400, "malformed content-length"],
    ["a length has a space inside", request("Content-Length: 1 0"), 400, "malformed content-length"],
    [
      "a length is beyond 2^53-1",
      request("Content-Length: 9007199254740992"),
      400,
      "malformed content-length",
    ],
    [
      "a length is beyond 64 bits",
      request("Content-Length: 18446744073709551617"),
      400,
      "malformed content-length",
    ],
    [
      "both lengths are given",
      request("Content-Length: 1", "Transfer-Encoding: chunked"),
      400,
      "both content-length and transfer-encoding",
    ],
    [
      "both lengths are given, zero too",
      request("Transfer-Encoding: chunked", "Content-Length: 0"),
      400,
      "both content-length and transfer-encoding",
    ],
    [
      "chunked is given twice",
      request("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
      400,
      "more than one transfer-encoding header",
    ],
    [
      "codings are spread over two fields",
      request("Transfer-Encoding: gzip", "Transfer-Encoding: chunked"),
      400,
      "transfer-encoding does not end in chunked",
    ],
    [
      "chunked is listed twice",
      request("Transfer-Encoding: chunked, chunked"),
      400,
      "chunked twice or not last in transfer-encoding",
    ],
    [
      "chunked is not last",
      request("Transfer-Encoding: chunked, identity"),
      400,
      "chunked twice or not last in transfer-encoding",
    ],
    [
      "chunked is not there",
      request("Transfer-Encoding: gzip"),
      400,
      "transfer-encoding does not end in chunked",
    ],
    [
      "the coding is identity alone",
      request("Transfer-Encoding: identity"),
      400,
      "transfer-encoding does not end in chunked",
    ],
    [
      "the coding only starts with chunked",
      request("Transfer-Encoding: chunkedx"),
      400,
      "transfer-encoding does not end in chunked",
    ],
    [
      "the coding is quoted",
      request('Transfer-Encoding: "chunked"'),
      400,
      "transfer-encoding does not end in chunked",
    ],
    ["the coding is empty", request("Transfer-Encoding: "), 400, "transfer-encoding does not end in chunked"],
    [
      "the list of codings ends in a comma",
      request("Transfer-Encoding: chunked,"),
      400,
      "chunked twice or not last in transfer-encoding",
    ],
    [
      "the list of codings starts with a comma",
      request("Transfer-Encoding: , chunked"),
      400,
      "unknown transfer coding",
    ],
    [
      "the coding ends in an octet above ASCII",
      request("Transfer-Encoding: chunked\xa0"),
      400,
      "transfer-encoding does not end in chunked",
    ],
    ["a coding is unknown", request("Transfer-Encoding: cow, chunked"), 501, "unknown transfer coding"],
    [
      "a length field is spelt with an underscore",
      request("Content_Length: 1"),
      400,
      "length header spelt with an underscore",
    ],
    [
      "a coding field is spelt with an underscore",
      request("Transfer_Encoding: chunked"),
      400,
      "length header spelt with an underscore",
    ],
    ["the method is empty", " / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed method"],
    ["the method is no token", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed method"],
    ["the method is a token that is no word", "G!T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed method"],
    ["the method starts with a hyphen", "-GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed method"],
    ["the method starts with a digit", "3GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed method"],
    [
      "an absolute target has no proper authority",
      'GET http://a"b/ HTTP/1.1\r\nHost: a\r\n\r\n',
      400,
      "malformed request target",
    ],
    [
      "an absolute target holds userinfo",
      "GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n",
      400,
      "malformed request target",
    ],
    [
      "the method is absurdly long",
      `${"A".repeat(33)} / HTTP/1.1\r\nHost: a\r\n\r\n`,
      400,
      "method too long",
    ],
    ["the request line has no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"],
    [
      "two spaces stand before the target",
      "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
      400,
      "malformed request target",
    ],
    [
      "two spaces stand before the version",
      "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
      400,
      "malformed protocol version",
    ],
    [
      "a tab stands before the version",
      "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n",
      400,
      "malformed request target",
    ],
    ["the target holds a space", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed protocol version"],
    ["the target holds a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"],
    ["the target holds a control", "GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"],
    ["the target is not ASCII", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"],
    ["the target is relative", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"],
    [
      "the target is a star but the method is not OPTIONS",
      "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
      400,
      "malformed request target",
    ],
    [
      "the target has another scheme",
      "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
      400,
      "malformed request target",
    ],
    [
      "the target is a scheme without a name",
      "GET http:// HTTP/1.1\r\nHost: a\r\n\r\n",
      400,
      "malformed request target",
    ],
    ["CONNECT names a path", "CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"],
    [
      "CONNECT names a URL",
      "CONNECT https://a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
      400,
      "malformed request target",
    ],
    ["there is no version", "GET /\r\nHost: a\r\n\r\n", 400, "malformed request target"],
    ["the version is in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400, "malformed protocol version"],
    ["the version has two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400, "malformed first line"],
    ["the version is followed by a space", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, "malformed first line"],
    ["the version is 0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505, "unsupported protocol version"],
    ["the version is 1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505, "unsupported protocol version"],
    ["it is the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "unsupported protocol version"],
    ["two empty lines come first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed method"],
    ["a bare line feed comes first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed method"],
    ["it is a TLS record", "\x16\x03\x01\x02\x00\x01", 400, "malformed method"],
    [
      "1.0 sends chunks",
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
      400,
      "transfer-encoding in http/1.0",
    ],
    [
      "1.0 upgrades",
      "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
      400,
      "upgrade in http/1.0",
    ],
    [
      "1.0 expects",
      "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
      400,
      "expect in http/1.0",
    ],
    [
      "CONNECT has a body",
      "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nContent-Length: 1\r\n\r\n",
      400,
      "body in a request that has none",
    ],
    [
      "TRACE has a body",
      "TRACE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
      400,
      "body in a request that has none",
    ],
    [
      "an upgrade has a body",
      request("Connection: upgrade", "Upgrade: websocket", "Content-Length: 1"),
      400,
      "body in an upgrade request",
    ],
    [
      "Connection names the length",
      request("Connection: close, Content-Length"),
      400,
      "connection header names a framing header",
    ],
    ["Connection names Host", request("Connection: host"), 400, "connection header names a framing header"],
    [
      "Connection is not a list of tokens",
      request('Connection: "close"'),
      400,
      "malformed connection header",
    ],
    [
      "it expects something unknown",
      request("Expect: 200-ok", "Content-Length: 1"),
      417,
      "unknown expectation",
    ],
    [
      "it expects twice",
      request("Expect: 100-continue", "Expect: 100-continue"),
      400,
      "more than one expect header",
    ],
  ];
  for (const [why, text, status, reason] of cases)
    test(why, () => expect(parse(text)).toEqual({ kind: "bad", status, reason }));
});

describe("bounds of a request head", () => {
  const limits = { maxBytes: 100, maxFields: 3 };
  const cases: [what: string, text: string, status: number, reason: string][] = [
    ["a target beyond the bound is 414", `GET /${"a".repeat(200)}`, 414, "request target too long"],
    [
      "fields beyond the bound are 431",
      `GET / HTTP/1.1\r\nHost: a\r\nA: ${"a".repeat(200)}`,
      431,
      "header section too large",
    ],
    [
      "one field too many is 431",
      "GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n",
      431,
      "too many header fields",
    ],
    [
      "a head that is whole but too large is refused too",
      `GET / HTTP/1.1\r\nHost: a\r\nA: ${"a".repeat(80)}\r\n\r\n`,
      431,
      "header section too large",
    ],
  ];
  for (const [what, text, status, reason] of cases)
    test(what, () => expect(parseRequestHead(octets(text), limits)).toEqual({ kind: "bad", status, reason }));

  test("a bound of one octet is kept even by an empty line in front", () =>
    expect(parseRequestHead(octets("\r\nGET"), { maxBytes: 1, maxFields: 0 }).kind).toBe("bad"));

  test("a head of exactly the bound is accepted", () => {
    const head = octets("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(parseRequestHead(head, { maxBytes: head.length, maxFields: 1 }).kind).toBe("ok");
    expect(parseRequestHead(head, { maxBytes: head.length - 1, maxFields: 1 }).kind).toBe("bad");
  });

  test("more fields than the scratch space holds at first are all there", () => {
    const lines = Array.from({ length: 1000 }, (_, index) => `X-${index}: ${index}`);
    const result = parseRequestHead(octets(request(...lines)), { maxBytes: 65_536, maxFields: 2000 });
    if (result.kind !== "ok") throw new Error("refused");
    expect(result.value.headers.slice(1)).toEqual(lines.map((_, index) => [`X-${index}`, String(index)]));
  });
});

describe("an accepted request head says", () => {
  test("its parts as they were sent, in order, case and duplicates kept", () => {
    const text =
      "GET /a%2Fb?x=1&y HTTP/1.1\r\nhost: Example.COM:8443\r\nX-A:  1 \t\r\nx-a: \r\nX-B:\x80\xff\t\x9f\r\n\r\nrest";
    const result = parse(text);
    expect(result).toEqual({
      kind: "ok",
      length: text.length - 4,
      value: {
        method: "GET",
        target: "/a%2Fb?x=1&y",
        version: "1.1",
        headers: [
          ["host", "Example.COM:8443"],
          ["X-A", "1"],
          ["x-a", ""],
          ["X-B", "\x80\xff\t\x9f"],
        ],
        framing: { kind: "none" },
        keepAlive: true,
        expectContinue: false,
        upgrade: undefined,
        authority: "Example.COM:8443",
        verbatim: undefined,
      },
    });
  });

  const framings: [what: string, text: string, framing: WireRequestHead["framing"]][] = [
    ["none without a length field", request(), { kind: "none" }],
    ["a length", request("Content-Length: 17"), { kind: "length", length: 17 }],
    ["a length of zero", request("Content-Length: 0"), { kind: "length", length: 0 }],
    [
      "the largest length",
      request("Content-Length: 9007199254740991"),
      { kind: "length", length: 9007199254740991 },
    ],
    ["chunked", request("Transfer-Encoding: chunked"), { kind: "chunked" }],
    ["chunked after a tab", request("Transfer-Encoding:\tchunked"), { kind: "chunked" }],
    ["chunked in any case", request("TRANSFER-ENCODING: Chunked"), { kind: "chunked" }],
    [
      "a length in 1.0 without Host",
      "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n",
      { kind: "length", length: 2 },
    ],
    [
      "none for CONNECT with a length of zero",
      "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 0\r\n\r\n",
      { kind: "none" },
    ],
  ];
  for (const [what, text, framing] of framings)
    test(`framing: ${what}`, () => expect(accepted(text).framing).toEqual(framing));

  const codings: [sent: string, forwarded: string][] = [
    ["Chunked", "chunked"],
    ["gzip,chunked", "gzip, chunked"],
    ["deflate, identity,\tchunked", "deflate, chunked"],
    ["\t chunked;custom_param;\t", "chunked"],
    ["chunked ; a=b", "chunked"],
  ];
  for (const [sent, forwarded] of codings)
    test(`Transfer-Encoding "${sent}" is forwarded as "${forwarded}"`, () =>
      expect(accepted(request(`Transfer-encoding: ${sent}`)).headers[1]).toEqual([
        "Transfer-encoding",
        forwarded,
      ]));

  const connections: [text: string, keepAlive: boolean][] = [
    [request(), true],
    [request("Connection: keep-alive"), true],
    [request("Connection: close"), false],
    [request("Connection: Keep-Alive, Close"), false],
    [request("Connection: keep-alive", "connection: CLOSE"), false],
    [request("Connection: , te ,"), true],
    ["GET / HTTP/1.0\r\n\r\n", false],
    ["GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true],
    ["GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false],
  ];
  for (const [text, keepAlive] of connections)
    test(`keepAlive is ${keepAlive} for ${JSON.stringify(text)}`, () =>
      expect(accepted(text).keepAlive).toBe(keepAlive));

  const upgrades: [lines: string[], upgrade: string | undefined][] = [
    [["Connection: Upgrade", "Upgrade: WebSocket"], "websocket"],
    [["Upgrade: SPDY/3.1", "Connection: keep-alive, upgrade"], "spdy/3.1"],
    [["Connection: Upgrade", "Upgrade: h2c", "Upgrade: websocket"], "websocket"],
    [["Connection: Upgrade"], undefined],
    [["Upgrade: websocket"], undefined],
  ];
  for (const [lines, upgrade] of upgrades)
    test(`upgrade is ${upgrade} for ${lines.join(" | ")}`, () =>
      expect(accepted(request(...lines)).upgrade).toBe(upgrade));

  test("that the client waits, only when a body follows", () => {
    expect(accepted(request("Expect: 100-Continue", "Content-Length: 5")).expectContinue).toBe(true);
    expect(accepted(request("Expect: 100-continue", "Transfer-Encoding: chunked")).expectContinue).toBe(true);
    expect(accepted(request("Expect: 100-continue", "Content-Length: 0")).expectContinue).toBe(false);
  });

  const targets: [method: string, target: string][] = [
    ["GET", "/"],
    ["GET", "//a//b"],
    ["GET", '/x"y{z}|<>^`'],
    ["GET", "http://a.example/b?c"],
    ["GET", "HTTPS://a.example"],
    ["OPTIONS", "*"],
    ["CONNECT", "a.example:443"],
    ["CONNECT", "[2001:db8::1]:443"],
    ["FROB", "/"],
    ["M-SEARCH", "/"],
  ];
  for (const [method, target] of targets)
    test(`the target of ${method} ${target}`, () => {
      const head = accepted(`${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect([head.method, head.target]).toEqual([method, target]);
    });

  test("one empty line before it as part of its length", () => {
    const text = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    expect(parse(text)).toMatchObject({ kind: "ok", length: text.length, value: { method: "GET" } });
  });
});

describe("a request head in pieces", () => {
  const text = request("Content-Length: 3", "A: \x80");

  test("needs more until its last octet", () => {
    for (let length = 0; length < text.length; length++)
      expect(parse(text.slice(0, length)).kind).toBe("need-more");
    expect(parse(text).kind).toBe("ok");
  });

  test("is not scanned again while the new bytes hold no line feed", () => {
    const bytes = octets(text);
    expect(parseRequestHead(bytes, undefined, bytes.length - 2).kind).toBe("ok");
    expect(parseRequestHead(bytes.subarray(0, 20), undefined, 18).kind).toBe("need-more");
    const large = octets(`GET / HTTP/1.1\r\nA: ${"a".repeat(200)}`);
    expect(parseRequestHead(large, { maxBytes: 100, maxFields: 9 }, 50).kind).toBe("bad");
  });
});
