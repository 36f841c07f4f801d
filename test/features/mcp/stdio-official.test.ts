// The official servers through the compiled `iddio mcp run`, driven by the official SDK: what is
// allowed is the same as without, what is held waits for a person, what is denied tells the agent
// so.

import { expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startGatewayProcess } from "../../support/gateway.ts";
import { connectThrough, connectTo, type McpClient, officialServer } from "../../support/mcp/mcp-client.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

setDefaultTimeout(120_000);

const ALLOW_ALL = `mcp:
  default: escalate
  trust_annotations: [everything, files, memory]
  groups:
    all:
      tiers: [observe, modify, sensitive]
  rules:
    allow:
      groups: [all]
`;

test.concurrent("a write of the filesystem server waits for a person, and is carried out once it is approved", async () => {
  await using files = await temporaryDirectory();
  await using gateway = await startGatewayProcess({});
  await using connection = await connectThrough(gateway, "files", officialServer("filesystem", files.path));
  const { tools } = await connection.client.listTools();
  expect(tools.map(({ name }) => name)).toContain("write_file");
  const path = join(files.path, "a.txt");
  const call = connection.client.callTool({ name: "write_file", arguments: { path, content: "hello" } });
  const held = await gateway.held();
  expect(held).toMatchObject({
    protocol: "mcp",
    tier: "sensitive",
    command: "files/write_file",
    labels: { server: "files", tool: "write_file" },
  });
  expect(await readFile(path, "utf8").catch(() => "none")).toBe("none");
  const shown = await gateway.run(["approval", "show", held.id]);
  expect(shown.stdout).toContain('"content": "hello"');
  await gateway.approve();
  expect((await call).isError).toBeFalsy();
  expect(await readFile(path, "utf8")).toBe("hello");
  const rows = await gateway.rowsWhen((all) => all.some(({ op }) => op === "mcp"));
  expect(rows.filter(({ fields }) => fields.command === "files/write_file").map(({ op }) => op)).toEqual([
    "intent",
    "mcp",
  ]);
  expect(rows.find(({ op }) => op === "mcp")?.fields).toMatchObject({
    outcome: "approved",
    decision: "allow",
    approval_id: held.id,
  });
});

test.concurrent("a call that a person denies is an error that a model can read, and never reaches the server", async () => {
  await using files = await temporaryDirectory();
  await using gateway = await startGatewayProcess({});
  await using connection = await connectThrough(gateway, "files", officialServer("filesystem", files.path));
  await connection.client.listTools();
  const path = join(files.path, "a.txt");
  const call = connection.client.callTool({ name: "write_file", arguments: { path, content: "hello" } });
  await gateway.deny("not there");
  const result = await call;
  expect(result.isError).toBe(true);
  const [content] = result.content as { text: string }[];
  expect(content?.text).toContain("a person denied 'files/write_file'");
  expect(content?.text).toContain("not there");
  expect(content?.text).toContain("Do not retry");
  expect(await readFile(path, "utf8").catch(() => "none")).toBe("none");
});

test.concurrent("everything, filesystem and memory give a client the same as without iddio, when all is allowed", async () => {
  await using files = await temporaryDirectory();
  await using gateway = await startGatewayProcess({ policy: ALLOW_ALL });
  await Bun.write(join(files.path, "in.txt"), "one\ntwo\n");
  const memory = (file: string) => ({ MEMORY_FILE_PATH: join(files.path, file) });
  await using stack = new AsyncDisposableStack();
  const kept = async (connecting: Promise<McpClient>) => stack.use(await connecting);
  const [everything, folder, graph, everything2, folder2, graph2] = await Promise.all([
    kept(connectTo(officialServer("everything"))),
    kept(connectTo(officialServer("filesystem", files.path))),
    kept(connectTo(officialServer("memory"), { env: memory("a.json") })),
    kept(connectThrough(gateway, "everything", officialServer("everything"))),
    kept(connectThrough(gateway, "files", officialServer("filesystem", files.path))),
    kept(connectThrough(gateway, "memory", officialServer("memory"), { env: memory("b.json") })),
  ]);
  const plain = { everything, files: folder, memory: graph };
  const through = { everything: everything2, files: folder2, memory: graph2 };
  const calls: readonly (readonly ["everything" | "files" | "memory", string, Record<string, unknown>])[] = [
    ["everything", "echo", { message: "grüße\u2028\u{1f600}" }],
    ["everything", "get-sum", { a: 1, b: 2.5 }],
    ["everything", "get-tiny-image", {}],
    ["everything", "get-annotated-message", { messageType: "error", includeImage: true }],
    ["everything", "get-structured-content", { location: "New York" }],
    ["everything", "get-resource-links", { count: 3 }],
    ["everything", "trigger-long-running-operation", { duration: 1, steps: 3 }],
    ["files", "read_text_file", { path: join(files.path, "in.txt") }],
    ["files", "list_directory", { path: files.path }],
    ["files", "create_directory", { path: join(files.path, "made") }],
    ["files", "read_text_file", { path: "/etc/shadow" }],
    ["files", "no_such_tool", {}],
    ["memory", "create_entities", { entities: [{ name: "a", entityType: "t", observations: ["o"] }] }],
    ["memory", "read_graph", {}],
    ["memory", "delete_entities", { entityNames: ["a"] }],
  ];
  for (const name of ["everything", "files", "memory"] as const) {
    expect(through[name].client.getServerVersion()).toEqual(plain[name].client.getServerVersion() as never);
    expect(through[name].client.getServerCapabilities()).toEqual(
      plain[name].client.getServerCapabilities() as never,
    );
    expect(through[name].client.getInstructions()).toBe(plain[name].client.getInstructions() as never);
    expect(await through[name].client.listTools()).toEqual(await plain[name].client.listTools());
  }
  for (const [server, name, args] of calls) {
    // A tool that the server does not list is refused by iddio: in its words, not in the server's.
    if (name === "no_such_tool") {
      expect((await through[server].client.callTool({ name, arguments: args })).isError).toBe(true);
      continue;
    }
    const [one, other] = await Promise.all([
      plain[server].client.callTool({ name, arguments: args }).catch((error: Error) => error.message),
      through[server].client.callTool({ name, arguments: args }).catch((error: Error) => error.message),
    ]);
    // Two servers on one folder: the second one to make it says the same.
    expect(other, name).toEqual(one as never);
  }
  const resources = await through.everything.client.listResources();
  expect(resources).toEqual(await plain.everything.client.listResources());
  expect(await through.everything.client.listResourceTemplates()).toEqual(
    await plain.everything.client.listResourceTemplates(),
  );
  const [first] = resources.resources;
  if (first !== undefined)
    expect(await through.everything.client.readResource({ uri: first.uri })).toEqual(
      await plain.everything.client.readResource({ uri: first.uri }),
    );
  const prompts = await through.everything.client.listPrompts();
  expect(prompts).toEqual(await plain.everything.client.listPrompts());
  const prompt = { name: "simple-prompt" };
  expect(await through.everything.client.getPrompt(prompt)).toEqual(
    await plain.everything.client.getPrompt(prompt),
  );
  let progress = 0;
  await through.everything.client.callTool(
    { name: "trigger-long-running-operation", arguments: { duration: 1, steps: 4 } },
    undefined,
    { onprogress: () => progress++ },
  );
  expect(progress).toBeGreaterThan(1);
});
