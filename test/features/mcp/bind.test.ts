// Ruling 24: a table of known tools counts only for the very server that a person bound it to, an
// argument that the table does not know makes the call unknown, and what waits for review is
// neither shown nor called, table or not.

import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startGatewayProcess } from "../../support/gateway.ts";
import { ownServer } from "../../support/mcp/mcp-client.ts";
import { type LineClient, startLines, textOf } from "../../support/mcp/mcp-lines.ts";

setDefaultTimeout(120_000);

const POLICY = `mcp:
  default: escalate
  groups: {read: {tiers: [observe]}}
  rules:
    allow: {groups: [read]}
kubectl:
  default: escalate
  groups: {read: {tiers: [observe]}}
  rules:
    allow: {groups: [read]}
`;
const tool = (name: string) => ({ name, description: name, inputSchema: { type: "object" } });

test("a bound table judges what the bound server does, and nothing else", async () => {
  await using gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 10m" });
  const file = join(gateway.home, "offer.json");
  const offer = (...tools: object[]) =>
    writeFile(file, JSON.stringify({ tools, instructions: "Be careful." }));
  const tierOf = async (name: string) =>
    (await gateway.control.call("mcp_show", { name: "own" })).items.find((item) => item.name === name)?.tier;
  const call = (client: LineClient, name: string, args: object) =>
    client.ask("tools/call", { name, arguments: args });
  /** The tier and command by which a call is held; then it is denied. */
  const heldAs = async (client: LineClient, name: string, args: object) => {
    const answer = call(client, name, args);
    const { tier } = await gateway.deny("no");
    await answer;
    return tier;
  };
  await offer(tool("pods_list_in_namespace"), tool("pods_delete"));
  {
    await using client = await startLines(gateway, "own", ownServer("scripted", file));
    await client.ask("tools/list");
    expect(await heldAs(client, "pods_list_in_namespace", { namespace: "a" })).toBe("sensitive");
    expect((await gateway.run(["mcp", "bind", "own", "no-such-table"])).stderr).toContain(
      "there is no table",
    );
    expect((await gateway.run(["mcp", "bind", "own", "kubernetes"])).code).toBe(0);
    expect(textOf(await call(client, "pods_list_in_namespace", { namespace: "a" }))).toBe("x");
    expect(await heldAs(client, "pods_list_in_namespace", { namespace: "a", weird: "b" })).toBe("unknown");
    expect(await heldAs(client, "pods_delete", { name: "x", namespace: "a" })).toBe("sensitive");
    // A tool that changes waits, though the table knows its name; so does a new one.
    await offer(
      { ...tool("pods_list_in_namespace"), description: "other" },
      tool("pods_delete"),
      tool("pods_get"),
    );
    const { result } = await client.ask("tools/list");
    expect(((result?.tools ?? []) as { name: string }[]).map(({ name }) => name)).toEqual(["pods_delete"]);
    for (const name of ["pods_list_in_namespace", "pods_get"])
      expect(textOf(await call(client, name, { namespace: "a", name: "x" }))).toContain("waits for review");
    expect((await gateway.run(["mcp", "review", "own", "--accept"])).code).toBe(0);
    expect(textOf(await call(client, "pods_get", { name: "x" }))).toBe("x");
  }
  // Another program under the same name, accepted by a person, is not the one that the table was bound to.
  const other = ownServer("scripted", file, "--other");
  {
    await using client = await startLines(gateway, "own", other);
    await client.ask("tools/list");
    expect(textOf(await call(client, "pods_get", { name: "x" }))).toContain("not the one that was accepted");
    expect((await gateway.run(["mcp", "review", "own", "--accept"])).code).toBe(0);
  }
  await using client = await startLines(gateway, "own", other);
  await client.ask("tools/list");
  expect(await heldAs(client, "pods_get", { name: "x" })).toBe("sensitive");
  expect((await gateway.run(["mcp", "bind", "own"])).code).toBe(0);
  expect(await tierOf("pods_get")).toBe("sensitive");
});
