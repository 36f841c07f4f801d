// Headers that repeat the body must say what it says, and a path that a server reads as another one
// has its name.

import { describe, expect, test } from "bun:test";
import { serverAt } from "../../../src/features/mcp/http/server-at.ts";
import { headerProblem } from "../../../src/protocols/mcp/era.ts";
import { paramHeaderProblem } from "../../../src/protocols/mcp/param-headers.ts";
import { classifierFor } from "../../../src/protocols/registry.ts";

const META = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };
const base64 = (text: string) => `=?base64?${Buffer.from(text).toString("base64")}?=`;

describe("a call of 2026 whose headers say", () => {
  const right = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "grüße" };
  const rows: readonly { readonly what: string; readonly headers: object; readonly isRight?: true }[] = [
    { what: "the name in base64", headers: { "mcp-name": base64("grüße") }, isRight: true },
    { what: "the name as it is", headers: {}, isRight: true },
    { what: "another name", headers: { "mcp-name": base64("other") } },
    { what: "base64 that is none", headers: { "mcp-name": "=?base64?A?=" } },
    { what: "base64 with signs that base64 has not", headers: { "mcp-name": "=?base64?!!?=" } },
    { what: "octets that are not UTF-8", headers: { "mcp-name": "=?base64?/w==?=" } },
    { what: "another method", headers: { "mcp-method": "tools/list" } },
    { what: "no method", headers: { "mcp-method": undefined } },
    { what: "no name", headers: { "mcp-name": undefined } },
    { what: "another version", headers: { "mcp-protocol-version": "2025-11-25" } },
  ];
  for (const { what, headers, isRight } of rows)
    test(`${what}: ${isRight ? "passes" : "is refused"}`, () => {
      const all: Readonly<Record<string, string | undefined>> = { ...right, ...headers };
      const problem = headerProblem((name) => all[name] ?? null, "tools/call", {
        name: "grüße",
        _meta: META,
      });
      expect(problem === undefined).toBe(isRight === true);
    });
});

describe("a header Mcp-Param-…", () => {
  const schema = {
    type: "object",
    properties: {
      region: { type: "string", "x-mcp-header": "Region" },
      deep: { type: "object", properties: { count: { type: "integer", "x-mcp-header": "Count" } } },
      plain: { type: "string" },
    },
  };
  const rows: readonly {
    readonly header: readonly [string, string];
    readonly args: object;
    readonly isRight?: true;
  }[] = [
    { header: ["Mcp-Param-Region", "eu"], args: { region: "eu" }, isRight: true },
    { header: ["mcp-param-region", base64("grüße")], args: { region: "grüße" }, isRight: true },
    { header: ["Mcp-Param-Count", "3"], args: { deep: { count: 3 } }, isRight: true },
    { header: ["X-Other", "3"], args: {}, isRight: true },
    { header: ["Mcp-Param-Region", "eu"], args: { region: "us" } },
    { header: ["Mcp-Param-Region", "eu"], args: {} },
    { header: ["Mcp-Param-Region", "=?base64?A?="], args: { region: "=?base64?A?=" } },
    { header: ["Mcp-Param-Plain", "x"], args: { plain: "x" } },
    { header: ["Mcp-Param-constructor", "x"], args: {} },
  ];
  for (const { header, args, isRight } of rows)
    test(`${header.join(": ")} with ${JSON.stringify(args)} ${isRight ? "passes" : "is refused"}`, () => {
      const problem = paramHeaderProblem([header], () => schema, { arguments: args });
      expect(problem === undefined).toBe(isRight === true);
    });
});

describe("the server behind an inspected host", () => {
  const at = (target: string) => serverAt({ host: "mcp.example.com", port: 443, target });
  const same: Readonly<Record<string, readonly string[]>> = {
    "mcp.example.com": [
      "/",
      "/mcp",
      "/mcp/",
      "/MCP",
      "//mcp",
      "/%6dcp",
      "/%256dcp",
      "/./mcp",
      "/x/../mcp",
      "/mcp;a=b",
      "/\\mcp",
      "/mcp?x=1",
    ],
    "mcp.example.com-tools": ["/tools", "/Tools", "/tool%73/", "/tools/."],
  };
  for (const [name, targets] of Object.entries(same))
    for (const target of targets) test(`${target} is ${name}`, () => expect(at(target)?.name).toBe(name));

  test("another spelling is another address, so it is not the one that was accepted", () => {
    expect(at("/%6dcp")?.url).not.toBe(at("/mcp")?.url as string);
    expect(at("/mcp/")?.url).toBe(at("/mcp")?.url as string);
  });

  test("other paths are other servers", () => {
    const names = ["/a/b", "/a-b", "/a_b", "/a", "/a/b/c"].map((target) => at(target)?.name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("a POST to the path of a login is judged as a message when it is like one:", () => {
  const { classify } = classifierFor("mcp");
  const rows: readonly { readonly body: string; readonly tier: string }[] = [
    { body: "grant_type=authorization_code&code=x", tier: "observe" },
    { body: '{"redirect_uris":["http://127.0.0.1/cb"],"client_name":"x"}', tier: "observe" },
    {
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}',
      tier: "unknown",
    },
    { body: '[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}]', tier: "unknown" },
    { body: '{"JSONRPC":"2.0","id":1,"Method":"tools/call"}', tier: "unknown" },
    { body: '{"jsonrpc":"2.0","id":1,"method":"tools/call",}', tier: "unknown" },
  ];
  for (const { body, tier } of rows)
    test(body, () => {
      const bytes = new TextEncoder().encode(body);
      const request = { method: "POST", host: "h", port: 443, target: "/token", headers: [] };
      expect(classify({ ...request, body: { kind: "whole", bytes } }).tier as string).toBe(tier);
    });
});
