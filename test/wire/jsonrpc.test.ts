import { describe, expect, test } from "bun:test";
import { canonicalJson, mayLoseNumbers } from "../../src/wire/jsonrpc/canonical-json.ts";
import { EventStreamReader, type StreamEvent, serialiseEvent } from "../../src/wire/jsonrpc/event-stream.ts";
import { LineReader } from "../../src/wire/jsonrpc/line-reader.ts";
import { parseLine, parseMessage } from "../../src/wire/jsonrpc/message.ts";
import { elementsOf, membersOf, spanAt, without } from "../../src/wire/jsonrpc/spans.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("a message is", () => {
  const cases: readonly { readonly text: string; readonly is: object }[] = [
    {
      text: '{"jsonrpc":"2.0","id":"a-1","method":"tools/call","params":{"name":"x"}}',
      is: { kind: "request", id: "a-1", method: "tools/call", params: { name: "x" } },
    },
    { text: '{"jsonrpc":"2.0","id":0,"method":"ping"}', is: { kind: "request", id: 0, params: {} } },
    {
      text: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
      is: { kind: "notification", method: "notifications/initialized" },
    },
    { text: '{"jsonrpc":"2.0","id":7,"result":{}}', is: { kind: "response", id: 7, result: {} } },
    {
      text: '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}',
      is: { kind: "response", id: undefined },
    },
    // Real arguments: two names that differ only by their case.
    {
      text: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"HTTP_PROXY":"a","http_proxy":"b"}}}',
      is: { kind: "request" },
    },
  ];
  for (const { text, is } of cases)
    test(text.slice(0, 90), () => {
      expect(parseMessage(bytes(text))).toMatchObject({ ...is, text });
    });
});

describe("no message, because two parsers could read it differently:", () => {
  const call = (rest: string) =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"${rest}}}`;
  const cases: readonly {
    readonly what: string;
    readonly text: string | Uint8Array;
    readonly problem: RegExp;
  }[] = [
    {
      what: "the method twice",
      text: '{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}',
      problem: /comes twice/,
    },
    {
      what: "the method twice, once escaped",
      text: '{"jsonrpc":"2.0","id":1,"method":"tools/list","m\\u0065thod":"tools/call"}',
      problem: /comes twice/,
    },
    { what: "the tool twice", text: call(',"name":"delete"'), problem: /comes twice/ },
    {
      what: "an argument twice",
      text: call(',"arguments":{"path":"/a","path":"/b"}'),
      problem: /comes twice/,
    },
    {
      what: "the tool in another case",
      text: call(',"Name":"delete"'),
      problem: /known member in another case/,
    },
    {
      what: "the method in another case",
      text: '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}',
      problem: /known member in another case/,
    },
    {
      what: "a long s, which folds to s",
      text: '{"jsonrpc":"2.0","id":1,"method":"tools/call","paramſ":{"name":"delete"}}',
      problem: /known member in another case/,
    },
    { what: "a batch", text: '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', problem: /batch/ },
    {
      what: "a byte order mark",
      text: '\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}',
      problem: /byte order mark/,
    },
    { what: "octets that are not UTF-8", text: Uint8Array.from([0x7b, 0xff, 0x7d]), problem: /UTF-8/ },
    { what: "no JSON", text: "hello", problem: /not JSON/ },
    { what: "two values", text: '{"jsonrpc":"2.0","id":1,"method":"ping"} {}', problem: /not JSON/ },
    { what: "another version", text: '{"jsonrpc":"1.0","id":1,"method":"ping"}', problem: /jsonrpc/ },
    {
      what: "request and answer at once",
      text: '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}',
      problem: /at once/,
    },
    {
      what: "an id that loses digits",
      text: '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}',
      problem: /id/,
    },
    { what: "an id that is an object", text: '{"jsonrpc":"2.0","id":{},"method":"ping"}', problem: /id/ },
    { what: "an id of null", text: '{"jsonrpc":"2.0","id":null,"method":"ping"}', problem: /id/ },
    {
      what: "params that are a list",
      text: '{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}',
      problem: /params/,
    },
    {
      what: "values nested too deeply",
      text: call(`,"arguments":{"a":${"[".repeat(300)}${"]".repeat(300)}}`),
      problem: /nested/,
    },
    {
      what: "too many values",
      text: call(`,"arguments":{"a":[${"0,".repeat(250_000)}0]}`),
      problem: /too many/,
    },
  ];
  for (const { what, text, problem } of cases)
    test(what, () => {
      const read = parseMessage(typeof text === "string" ? bytes(text) : text);
      expect(read.kind).toBe("bad");
      expect((read as { problem: string }).problem).toMatch(problem);
    });

  test("a carriage return inside a line", () => {
    expect(parseLine(bytes('{"jsonrpc":"2.0",\r"id":1,"method":"ping"}')).kind).toBe("bad");
  });
});

test("lines come out whole, in whatever pieces, and one that is too long ends the stream", () => {
  const all = bytes('{"a":"ä"}\r\n\n{"b":1}\n{"c":2}\n');
  for (const size of [1, 2, 3, 5, all.length]) {
    const reader = new LineReader(100);
    const lines: string[] = [];
    for (let at = 0; at < all.length; at += size)
      for (const line of reader.push(all.subarray(at, at + size))) lines.push(new TextDecoder().decode(line));
    expect(lines).toEqual(['{"a":"ä"}', '{"b":1}', '{"c":2}']);
  }
  const reader = new LineReader(10);
  expect(reader.push(bytes(`1\n${"x".repeat(11)}`)).length).toBe(1);
  expect(reader.problem).toContain("longer than 10 bytes");
  expect(reader.push(bytes("2\n"))).toEqual([]);
});

describe("events of a stream", () => {
  const read = (text: string, size: number): StreamEvent[] => {
    const reader = new EventStreamReader(1000);
    const all = bytes(text);
    const events: StreamEvent[] = [];
    for (let at = 0; at < all.length; at += size) events.push(...reader.push(all.subarray(at, at + size)));
    expect(reader.problem).toBeUndefined();
    return events;
  };
  const expected = [
    { event: "message", data: '{"a":1}', id: "7" },
    { data: "one\ntwo", retry: 50 },
  ];
  const lines = [
    ": hello",
    "event: message",
    "id: 7",
    'data: {"a":1}',
    "",
    "data: one",
    "data:two",
    "retry: 50",
    "",
    "data: cut off",
  ];
  for (const [name, end] of [
    ["CR only", "\r"],
    ["LF", "\n"],
    ["CRLF", "\r\n"],
  ] as const)
    for (const size of [1, 2, 7, 1000])
      test(`with ${name}, ${size} octets at a time`, () => {
        expect(read(`\ufeff${lines.join(end)}`, size)).toEqual(expected);
      });

  test("come back as they were written", () => {
    expect(read(expected.map(serialiseEvent).join(""), 3)).toEqual(expected);
  });

  test("that never end are bounded", () => {
    const reader = new EventStreamReader(1000);
    for (let at = 0; at < 30; at++) reader.push(bytes(`data: ${"x".repeat(50)}\n`));
    expect(reader.problem).toContain("longer than 1000 bytes");
  });
});

test("canonical JSON is that of RFC 8785", () => {
  const value = JSON.parse('{"b":[3,1e1,"\\u20ac"],"a":{"\\ud83d\\ude00":null,"\\u00e9":true,"A":-0}}');
  expect(canonicalJson(value)).toBe('{"a":{"A":0,"é":true,"😀":null},"b":[3,10,"€"]}');
});

test("numbers that parse to the same value though they are not the same are told", () => {
  for (const text of ['{"a":9007199254740993}', '{"a":[1,1e400]}', '{"a":0.12345678901234567}'])
    expect(mayLoseNumbers(text)).toBeTrue();
  for (const text of ['{"a":12345,"b":1.5,"c":"9007199254740993"}', "[]"])
    expect(mayLoseNumbers(text)).toBeFalse();
});

test("what is taken out of a list leaves every other octet as it was", () => {
  const text =
    '{ "result" : {"tools":[ {"name":"a","x":"]},{"} , {"name":"b"},{"name":"c", "n":1e400}], "nextCursor":"z"} }';
  const list = spanAt(text, ["result", "tools"]);
  if (list === undefined) throw new Error("no list");
  const elements = elementsOf(text, list);
  expect(elements.map(({ start, end }) => text.slice(start, end))).toEqual([
    '{"name":"a","x":"]},{"}',
    '{"name":"b"}',
    '{"name":"c", "n":1e400}',
  ]);
  expect(without(text, elements, (index) => index === 1)).toBe(
    '{ "result" : {"tools":[ {"name":"a","x":"]},{"},{"name":"c", "n":1e400}], "nextCursor":"z"} }',
  );
  expect(JSON.parse(without(text, elements, () => true)).result.tools).toEqual([]);
  const result = spanAt(text, ["result"]);
  if (result === undefined) throw new Error("no result");
  const members = membersOf(text, result);
  expect(members.map(({ name }) => name)).toEqual(["tools", "nextCursor"]);
  expect(
    without(
      text,
      members.map(({ whole }) => whole),
      (index) => index === 0,
    ),
  ).toBe('{ "result" : {"nextCursor":"z"} }');
});
