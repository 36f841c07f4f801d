import { describe, expect, test } from "bun:test";
import type { Header } from "../../../src/model/request.ts";
import { serialiseRequestHead, serialiseResponseHead } from "../../../src/wire/http1/head.ts";
import { latin1 } from "../../support/wire/octets.ts";

test("a request head is written as HTTP/1.1 with order, case, duplicates and obs-text kept", () => {
  const headers: Header[] = [
    ["Host", "a"],
    ["x-B", "1"],
    ["X-b", "\x80\xff"],
    ["Empty", ""],
  ];
  const bytes = serialiseRequestHead({ method: "GET", target: "/a%2Fb?c", headers });
  expect(latin1(bytes)).toBe(
    "GET /a%2Fb?c HTTP/1.1\r\nHost: a\r\nx-B: 1\r\nX-b: \x80\xff\r\nEmpty: \r\n\r\n",
  );
});

test("a response head is written as HTTP/1.1, with the space that an empty reason needs", () => {
  expect(latin1(serialiseResponseHead({ status: 200, statusText: "", headers: [] }))).toBe(
    "HTTP/1.1 200 \r\n\r\n",
  );
  expect(latin1(serialiseResponseHead({ status: 403, statusText: "No", headers: [["A", "b"]] }))).toBe(
    "HTTP/1.1 403 No\r\nA: b\r\n\r\n",
  );
});

describe("nothing is written that would read back as something else:", () => {
  const requests: [what: string, method: string, target: string, header: Header][] = [
    ["a line break in a value", "GET", "/", ["A", "b\r\nC: d"]],
    ["a line feed in a value", "GET", "/", ["A", "b\nC: d"]],
    ["a NUL in a value", "GET", "/", ["A", "\0"]],
    ["a character beyond one octet", "GET", "/", ["A", "\u0141"]],
    ["a colon in a name", "GET", "/", ["A:b", "c"]],
    ["a space in a name", "GET", "/", ["A b", "c"]],
    ["an empty name", "GET", "/", ["", "c"]],
    ["a pseudo header", "GET", "/", [":path", "/"]],
    ["a space in the method", "GET /x", "/", ["A", "b"]],
    ["an empty method", "", "/", ["A", "b"]],
    ["an empty target", "GET", "", ["A", "b"]],
    ["a space in the target", "GET", "/ HTTP/1.1", ["A", "b"]],
    ["a line break in the target", "GET", "/\r\nA:", ["A", "b"]],
    ["a target that is not ASCII", "GET", "/\xe4", ["A", "b"]],
    ["a fragment", "GET", "/#a", ["A", "b"]],
  ];
  for (const [what, method, target, header] of requests)
    test(what, () =>
      expect(() => serialiseRequestHead({ method, target, headers: [header] })).toThrow(TypeError),
    );

  for (const status of [0, 99.5, 1000, -20, Number.NaN])
    test(`status ${status}`, () =>
      expect(() => serialiseResponseHead({ status, statusText: "", headers: [] })).toThrow(TypeError));

  test("a line break in the reason", () =>
    expect(() => serialiseResponseHead({ status: 200, statusText: "a\r\nb: c", headers: [] })).toThrow(
      TypeError,
    ));
});
