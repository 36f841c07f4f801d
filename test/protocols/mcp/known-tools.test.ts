// The tools of a bound server: the request or command line that they make, read by its own
// protocol.

import { describe, expect, test } from "bun:test";
import { classifyKnownTool, knownTables } from "../../../src/protocols/mcp-servers/known-tool.ts";
import { scriptOf } from "../../../src/protocols/mcp-servers/script-tool.ts";
import { classifierFor } from "../../../src/protocols/registry.ts";

const classify = (table: string, name: string, args: object) =>
  classifyKnownTool(table, { server: "s", method: "tools/call", params: { name, arguments: args } });

describe("a tool of a bound server is", () => {
  const rows = [
    {
      table: "kubernetes",
      tool: "pods_delete",
      args: { name: "a", namespace: "prod" },
      is: { protocol: "kubectl", tier: "sensitive", command: "pods delete", labels: { namespace: "prod" } },
    },
    {
      table: "kubernetes",
      tool: "resources_get",
      args: { apiVersion: "v1", kind: "Secret", name: "a", namespace: "prod" },
      is: { protocol: "kubectl", tier: "sensitive", command: "secrets get" },
    },
    {
      table: "kubernetes",
      tool: "pods_exec",
      args: { name: "a", namespace: "prod", command: ["ls"] },
      is: { protocol: "kubectl", tier: "break-glass", command: "exec" },
    },
    {
      table: "github",
      tool: "delete_file",
      args: { owner: "a", repo: "b", path: "docs/a.md", message: "m" },
      is: { protocol: "github", tier: "sensitive", labels: { repo: "a/b", org: "a" } },
    },
    {
      table: "aws",
      tool: "call_aws",
      args: { cli_command: "aws ec2 terminate-instances --instance-ids i-1" },
      is: { protocol: "aws", command: "ec2 terminate-instances" },
    },
    { table: "cloudflare", tool: "zones_list", args: {}, is: { protocol: "cloudflare", tier: "observe" } },
    {
      table: "memory",
      tool: "read_graph",
      args: {},
      is: { protocol: "mcp", tier: "observe", command: "s/read_graph" },
    },
  ];
  for (const { table, tool, args, is } of rows)
    test(`${table} ${tool}: ${is.protocol} ${is.command ?? ""}`, () => {
      const found = classify(table, tool, args) ?? [];
      expect(found.at(-1)).toMatchObject(is as never);
      // MCP's own block sees the same tier.
      expect(found[0]).toMatchObject({
        protocol: "mcp",
        command: `s/${tool}`,
        tier: found.at(-1)?.tier as never,
      });
    });
});

describe("a call is unknown when", () => {
  const rows = [
    {
      what: "an argument is not in the table",
      table: "kubernetes",
      tool: "pods_delete",
      args: { name: "a", namespace: "prod", cascade: "orphan" },
    },
    { what: "an argument is missing", table: "kubernetes", tool: "pods_delete", args: { namespace: "prod" } },
    {
      what: "a name would be a flag",
      table: "kubernetes",
      tool: "pods_delete",
      args: { name: "--all", namespace: "prod" },
    },
    { what: "a value is no text", table: "kubernetes", tool: "pods_get", args: { name: { a: 1 } } },
    {
      what: "several command lines are in one",
      table: "aws",
      tool: "call_aws",
      args: { cli_command: "aws s3 ls; rm -rf /" },
    },
    {
      what: "it applies a manifest",
      table: "kubernetes",
      tool: "resources_create_or_update",
      args: { resource: "kind: Pod" },
    },
  ];
  for (const { what, table, tool, args } of rows)
    test(what, () => {
      const found = classify(table, tool, args) ?? [];
      expect(found.map(({ tier }) => tier)).toContain("unknown");
      expect(found.map(({ tier }) => tier)).not.toContain("observe");
    });
});

test("a tool that is not in the table has no answer from it", () => {
  expect(classify("kubernetes", "brand_new", {})).toBeUndefined();
  expect(classify("no-such-table", "pods_get", {})).toBeUndefined();
});

test("every row of the table can be carried out: its arguments filled in, it names a protocol's operation or a tier", () => {
  for (const [table, tools] of knownTables())
    for (const [tool, { text, how, why }] of tools) {
      expect(why, `${table} ${tool}`).not.toBe("");
      const names = [...text.matchAll(/\{(\w+)(\*?)\}/g)].map(([, name = "", star]) => [
        name,
        star === "*" ? ["x"] : "x",
      ]);
      const found = classify(table, tool, Object.fromEntries(names)) ?? [];
      if (how === "argv" || how === "http")
        expect(found.length, `${table} ${tool}: ${found[0]?.reason}`).toBe(2);
    }
});

test("a command line among the arguments of a shell tool is judged as if it were typed", () => {
  const of = (name: string, args: object) =>
    scriptOf({ server: "s", method: "tools/call", params: { name, arguments: args } }).map(
      ({ protocol, command, tier }) => ({ protocol, command, tier }),
    );
  const removed = { protocol: "kubectl", command: "pods delete", tier: "sensitive" } as const;
  expect(of("run_command", { command: "kubectl delete pod a -n prod" })).toContainEqual(removed);
  expect(
    of("execute_command", { command: "kubectl", args: ["delete", "pod", "a", "-n", "prod"] }),
  ).toContainEqual(removed);
  expect(of("shell", { cmd: "cd /tmp && kubectl delete pod a -n prod" })).toContainEqual(removed);
  expect(of("read_file", { command: "kubectl delete pod a" })).toEqual([]);
});

describe("MCP over HTTP without pins", () => {
  const { classify: http } = classifierFor("mcp");
  const post = (body: string) =>
    http({
      method: "POST",
      host: "mcp.example",
      port: 443,
      target: "/mcp",
      headers: [],
      body: { kind: "whole", bytes: new TextEncoder().encode(body) },
    });
  const rows = [
    {
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
      tier: "observe",
      command: "mcp.example/tools:list",
    },
    {
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}',
      tier: "unknown",
      command: "mcp.example/x",
    },
    {
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"x"}}',
      tier: "unknown",
      command: "mcp.example/http:POST",
    },
    {
      body: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
      tier: "observe",
      command: "mcp.example/http:notification",
    },
    {
      body: '{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"}',
      tier: "modify",
      command: "mcp.example/sampling:createMessage",
    },
    { body: '{"jsonrpc":"2.0","id":1,"method":"no/such"}', tier: "unknown", command: "mcp.example/no:such" },
  ] as const;
  for (const { body, tier, command } of rows)
    test(body, () => expect(post(body)).toMatchObject({ tier, command }));
});
