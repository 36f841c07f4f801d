// Which operation of a GraphQL request runs, and with which fields: the table is the spec of
// readGraphql.

import { describe, expect, test } from "bun:test";
import type { Header } from "../../../src/model/request.ts";
import { type GraphqlReading, readGraphql } from "../../../src/protocols/graphql/request.ts";
import { requestOf } from "../request-of.ts";

const JSON_TYPE: readonly Header[] = [["Content-Type", "application/json"]];

function readJson(value: unknown): GraphqlReading {
  return readGraphql(
    requestOf("POST https://g.example/graphql", { headers: JSON_TYPE, body: JSON.stringify(value) }),
  );
}

function readText(type: string, body: string | Uint8Array, target = "/graphql"): GraphqlReading {
  const headers: readonly Header[] = type === "" ? [] : [["Content-Type", type]];
  return readGraphql(requestOf(`POST https://g.example${target}`, { headers, body }));
}

/** `mutation a,b` a document, or `unknown`. */
function essence(reading: GraphqlReading): string {
  if (reading.kind !== "ok") return reading.kind;
  return reading.operations
    .map(({ kind, fields }) => `${kind} ${fields.map(({ name }) => name).join(",")}`)
    .join(" + ");
}

describe("the operation that runs is", () => {
  const table: readonly (readonly [name: string, query: string, operationName: unknown, want: string])[] = [
    ["a query without the word", "{ viewer { login } }", undefined, "query viewer"],
    ["the only one", "query A { a }", undefined, "query a"],
    ["the only one when the name is null", "mutation { a }", null, "mutation a"],
    ["the only one when the name is empty", "mutation A { a }", "", "mutation a"],
    ["the one that operationName selects", "query A { a } mutation B { b }", "B", "mutation b"],
    ["not the one beside it", "mutation A { a } query B { b }", "B", "query b"],
    ["a subscription", "subscription { a }", undefined, "subscription a"],
    ["behind a fragment that comes first", "fragment F on Q { a } query { ...F b }", undefined, "query b,a"],
    [
      "with every field, whatever its alias",
      "mutation { x: a y: b mutation: a }",
      undefined,
      "mutation a,b,a",
    ],
    [
      "with inline fragments",
      "mutation { ... on M { a } ... @include(if: true) { b } }",
      undefined,
      "mutation a,b",
    ],
    [
      "with fragments in fragments",
      "mutation { ...F } fragment F on M { ...G } fragment G on M { z: a }",
      undefined,
      "mutation a",
    ],
    [
      "also what is skipped",
      "mutation ($s: Boolean!) { a @skip(if: $s) b @include(if: false) }",
      undefined,
      "mutation a,b",
    ],
    ["also what is deferred", "query { ... @defer { a } b }", undefined, "query b,a"],
    ["not what a comment says", "# mutation { x }\nquery { a # mutation { y }\n}", undefined, "query a"],
    [
      "not what a text says",
      'mutation { a(b: "} query { c }", d: """ } query { "c" } """) }',
      undefined,
      "mutation a",
    ],
    ["the same after commas and a byte order mark", "\ufeff,,query,A,{,a,,b,}", undefined, "query a,b"],
    ["the same with Windows line ends", "query A {\r\n  a\r\n}\r\n", undefined, "query a"],
    ["unknown when none is selected of several", "query A { a } query B { b }", undefined, "unknown"],
    ["unknown when an empty name selects of several", "query A { a } query B { b }", "", "unknown"],
    ["unknown when the name selects nothing", "query A { a }", "B", "unknown"],
    ["unknown when two have the name", "query A { a } mutation A { b }", "A", "unknown"],
    ["unknown when the name is no text", "query A { a }", ["A"], "unknown"],
    ["unknown without an operation", "fragment F on Q { a }", undefined, "unknown"],
    ["unknown when a fragment is missing", "query { ...F }", undefined, "unknown"],
    [
      "unknown when a fragment comes twice",
      "query { ...F } fragment F on Q { a } fragment F on Q { b }",
      undefined,
      "unknown",
    ],
    ["unknown with a syntax error", "query { a", undefined, "unknown"],
    ["unknown when types are defined", "query { a } type Query { a: Int }", undefined, "unknown"],
    ["unknown when a comment ends at a bare CR", "query { a } # \rmutation { b }", undefined, "unknown"],
    ["unknown with a NUL", "query { a } # \u0000", undefined, "unknown"],
    ["unknown with a byte order mark inside", "query { a } \ufeff# x", undefined, "unknown"],
    ["unknown when empty", "", undefined, "unknown"],
  ];
  for (const [name, query, operationName, want] of table)
    test(name, () => expect(essence(readJson({ query, operationName }))).toBe(want));

  test("a fragment that spreads itself, read once", () => {
    expect(essence(readJson({ query: "query { ...F } fragment F on Q { a ...F }" }))).toBe("query a");
  });
});

describe("a request carries its documents", () => {
  const query = "mutation { a }";
  const json = JSON.stringify({ query });
  const form = `query=${encodeURIComponent(query)}`;
  const table: readonly (readonly [name: string, reading: () => GraphqlReading, want: string])[] = [
    ["as JSON of any declared type", () => readText("text/plain", json), "mutation a"],
    ["as JSON without a type", () => readText("", json), "mutation a"],
    [
      "as JSON that curl calls a form",
      () => readText("application/x-www-form-urlencoded", json),
      "mutation a",
    ],
    [
      "as JSON with a charset and a byte order mark",
      () => readText("application/json; Charset=UTF-8", `\ufeff${json}`),
      "mutation a",
    ],
    ["as a form", () => readText("application/x-www-form-urlencoded", form), "mutation a"],
    ["as the document itself", () => readText("application/graphql", query), "mutation a"],
    ["in a batch", () => readJson([{ query: "{ a }" }, { query: "mutation { b }" }]), "query a + mutation b"],
    [
      "in the query of a GET",
      () => readGraphql(requestOf(`GET https://g.example/graphql?${form}`)),
      "mutation a",
    ],
    [
      "in the query of a POST",
      () => readGraphql(requestOf(`POST https://g.example/graphql?${form}`)),
      "mutation a",
    ],
    ["or none", () => readGraphql(requestOf("GET https://g.example/graphql?pretty=1")), "none"],
    ["unknown: in query and body", () => readText("application/json", json, `/graphql?${form}`), "unknown"],
    [
      "unknown: part in the query",
      () => readText("application/json", json, "/graphql?operationName=B"),
      "unknown",
    ],
    [
      "unknown: both as JSON and as a form",
      () => readText("application/x-www-form-urlencoded", `{"query":"{a}","x":"&query=mutation{b}&"}`),
      "unknown",
    ],
    ["unknown: a stored document", () => readJson({ id: "abc", variables: {} }), "unknown"],
    [
      "unknown: a stored document beside one",
      () => readJson({ documentId: "abc", query: "{ a }" }),
      "unknown",
    ],
    [
      "unknown: a persisted query",
      () => readJson({ extensions: { persistedQuery: { version: 1, sha256Hash: "x" } } }),
      "unknown",
    ],
    [
      "unknown: a persisted query with its text",
      () => readJson({ query: "{ a }", extensions: { persistedQuery: {} } }),
      "unknown",
    ],
    [
      "unknown: a member twice",
      () => readText("application/json", `{"query":"{a}","query":"mutation{b}"}`),
      "unknown",
    ],
    [
      "unknown: a member twice by an escape",
      () => readText("application/json", `{"query":"{a}","qu\\u0065ry":"mutation{b}"}`),
      "unknown",
    ],
    [
      "unknown: a variable twice",
      () => readText("application/json", `{"query":"{a}","variables":{"x":1,"x":2}}`),
      "unknown",
    ],
    [
      "unknown: a member in another case",
      () => readText("application/json", `{"query":"{a}","Query":"mutation{b}"}`),
      "unknown",
    ],
    [
      "unknown: operationName in another case",
      () => readJson({ query: "query A{a} mutation B{b}", operationName: "A", OperationName: "B" }),
      "unknown",
    ],
    ["unknown: an empty batch", () => readJson([]), "unknown"],
    ["unknown: a batch of texts", () => readJson(["{ a }"]), "unknown"],
    ["unknown: a batch in a batch", () => readJson([[{ query: "{ a }" }]]), "unknown"],
    ["unknown: one bad document in a batch", () => readJson([{ query: "{ a }" }, { query: "{" }]), "unknown"],
    ["unknown: too large a batch", () => readJson(Array(65).fill({ query: "{ a }" })), "unknown"],
    ["unknown: no text", () => readJson({ query: { a: 1 } }), "unknown"],
    ["unknown: no object", () => readJson("query"), "unknown"],
    ["unknown: no JSON", () => readText("application/json", "query { a }"), "unknown"],
    ["unknown: multipart", () => readText("multipart/form-data; boundary=x", "--x--"), "unknown"],
    ["unknown: another charset", () => readText("application/json; charset=utf-16le", json), "unknown"],
    ["unknown: not UTF-8", () => readText("application/json", Uint8Array.of(0x7b, 0xff, 0x7d)), "unknown"],
    [
      "unknown: a nested query parameter",
      () => readGraphql(requestOf("GET https://g.example/graphql?query[]=%7Ba%7D")),
      "unknown",
    ],
    [
      "unknown: a query parameter twice",
      () => readGraphql(requestOf("GET https://g.example/graphql?query=%7Ba%7D&query=%7Bb%7D")),
      "unknown",
    ],
    [
      "unknown: a malformed query",
      () => readGraphql(requestOf("GET https://g.example/graphql?query=%zz")),
      "unknown",
    ],
  ];
  for (const [name, reading, want] of table) test(name, () => expect(essence(reading())).toBe(want));

  test("several content types are unknown", () => {
    const headers: readonly Header[] = [...JSON_TYPE, ["content-type", "application/graphql"]];
    expect(essence(readGraphql(requestOf("POST https://g.example/graphql", { headers, body: json })))).toBe(
      "unknown",
    );
  });

  test("a body that was not read is unknown", () => {
    expect(essence(readGraphql(requestOf("POST https://g.example/graphql", { unread: true })))).toBe(
      "unknown",
    );
  });

  test("what was seen of an unknown request is told", () => {
    const reading = readJson({ query: "query A { a } mutation B { b }" });
    expect(reading.kind === "unknown" && reading.possible.map(({ kind }) => kind)).toEqual([
      "query",
      "mutation",
    ]);
  });
});

describe("arguments of root fields", () => {
  const table: readonly (readonly [name: string, query: string, variables: unknown, want: unknown])[] = [
    ["are literals", '{ a(x: "v") }', undefined, "v"],
    ["are block strings without their indentation", '{ a(x: """\n  v\n  """) }', undefined, "v"],
    ["are variables", "query ($x: String) { a(x: $x) }", { x: "v" }, "v"],
    ["are variables given as text", "query ($x: String) { a(x: $x) }", '{"x":"v"}', "v"],
    ["are defaults of variables that are not given", 'query ($x: String = "v") { a(x: $x) }', { y: 1 }, "v"],
    ["are no defaults where null is given", 'query ($x: String = "v") { a(x: $x) }', { x: null }, null],
    ["are objects", "query ($v: String) { a(x: { y: [{ z: $v }] }) }", { v: "v" }, { y: [{ z: "v" }] }],
    ["cannot be told when given twice", '{ a(x: "v", x: "w") }', undefined, undefined],
    ["cannot be told when a variable is not declared", "{ a(x: $x) }", { x: "v" }, undefined],
    [
      "cannot be told when an object has a member twice",
      '{ a(x: { y: "v", y: "w" }) }',
      undefined,
      undefined,
    ],
    ["are not taken from a prototype", "query ($toString: String) { a(x: $toString) }", {}, undefined],
  ];
  for (const [name, query, variables, want] of table)
    test(name, () => {
      const reading = readJson({ query, variables });
      expect(reading.kind === "ok" && reading.operations[0].fields[0]?.arguments.get("x")).toEqual(want);
    });
});

test("the names of all fields that may run are collected", () => {
  const reading = readJson({
    query: "query A { x: a { ...F } } query B { c } fragment F on T { ... { b } }",
    operationName: "A",
  });
  expect(reading.kind === "ok" && [...reading.operations[0].reached].sort()).toEqual(["a", "b"]);
});

describe("work is bounded", () => {
  const deep = (depth: number) => "{a".repeat(depth) + "}".repeat(depth);
  const table: readonly (readonly [name: string, value: () => unknown, want: string])[] = [
    ["for a document of many tokens", () => ({ query: `{ ${"a ".repeat(20_000)}}` }), "unknown"],
    ["for deep nesting", () => ({ query: deep(20_000) }), "unknown"],
    ["for a long comment", () => ({ query: `{ a } # ${"x".repeat(500_000)}` }), "unknown"],
    [
      "for a long text, which is no reason for doubt",
      () => ({ query: `{ a(b: "${"x".repeat(100_000)}") }` }),
      "query a",
    ],
    [
      "for a large default used often",
      () => ({ query: `query ($x: [Int] = [${"1 ".repeat(3000)}]) { ${"a(x: $x) ".repeat(1000)}}` }),
      `query ${Array(1000).fill("a").join(",")}`,
    ],
    [
      "for nested JSON",
      () => ({ query: "{ a }", variables: JSON.parse("[".repeat(300) + "]".repeat(300)) }),
      "unknown",
    ],
  ];
  for (const [name, value, want] of table) test(name, () => expect(essence(readJson(value()))).toBe(want));
});
