// gRPC's own client and server, both on real node, through the gateway: the published
// interop list, and a refusal that the client shows with its reason.

import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findClient, runClient, startClient } from "../support/clients.ts";
import { createAuthority } from "../support/cluster/authority.ts";
import { startGatewayProcess } from "../support/gateway.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const PEERS = join(import.meta.dir, "../support/peers");
const INTEROP = [
  "empty_unary",
  "large_unary",
  "client_streaming",
  "server_streaming",
  "ping_pong",
  "empty_stream",
  "custom_metadata",
  "status_code_and_message",
  "cancel_after_begin",
  "timeout_on_sleeping_server",
];

const node = findClient("node");
if (node !== undefined)
  test("every case of the interop list passes, and a refusal says why", async () => {
    await using directory = await temporaryDirectory();
    const authority = createAuthority("grpc");
    const { certPem, keyPem } = authority.serverCertificate(["localhost"]);
    const file = (name: string) => join(directory.path, name);
    await writeFile(file("cert.pem"), certPem);
    await writeFile(file("key.pem"), keyPem);
    await writeFile(file("ca.pem"), authority.caPem);
    await using server = startClient(node, [
      join(PEERS, "grpc-server.mjs"),
      file("cert.pem"),
      file("key.pem"),
    ]);
    const port = Number((await server.until("\n")).trim());
    await using gateway = await startGatewayProcess({
      policy: `generic:
  inspect: ["localhost:${port}"]
  groups: { write: { tiers: [modify] }, destructive: { tiers: [sensitive] } }
  rules: { allow: { groups: [write] }, deny: { groups: [destructive] } }
`,
    });
    await gateway.control.call("upstreams_add", {
      host: "localhost",
      port,
      ca_pem: authority.caPem,
      source: "test",
    });
    const proxy = `http://${gateway.listen}`;
    await writeFile(file("iddio.pem"), gateway.caPem);
    const { stdout, stderr } = await runClient(
      node,
      [join(PEERS, "grpc-client.mjs"), `localhost:${port}`, file("iddio.pem")],
      { env: { https_proxy: proxy, grpc_proxy: proxy, no_grpc_proxy: "", no_proxy: "" } },
    );
    expect(stderr).toBe("");
    const results = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { name: string; ok: boolean; detail: string });
    const passed = results.filter(({ ok }) => ok).map(({ name }) => name);
    expect(passed).toEqual(expect.arrayContaining(INTEROP));
    expect(results.find(({ name }) => name === "refused")?.detail).toMatch(
      /iddio refused .*tier sensitive, rule generic\./,
    );
    const rows = await gateway.rowsWhen((all) => all.some(({ op }) => op === "mitm"));
    expect(rows.some(({ op, fields }) => op === "mitm" && fields.path === "/interop.Test/Unary")).toBe(true);
  }, 120_000);
