// The `ws` package on real node, through an intercepted connection: the handshake is held
// like any request that cannot be tiered, and once approved nothing stands between.

import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findClient, startClient } from "../support/clients.ts";
import { createAuthority } from "../support/cluster/authority.ts";
import { startGatewayProcess } from "../support/gateway.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const SCRIPT = join(import.meta.dir, "../support/peers/websocket-client.mjs");

const node = findClient("node");
if (node !== undefined)
  test("messages, pings and the closing handshake go both ways unchanged", async () => {
    await using directory = await temporaryDirectory();
    const authority = createAuthority("websocket");
    const { certPem, keyPem } = authority.serverCertificate(["localhost"]);
    const file = (name: string) => join(directory.path, name);
    await writeFile(file("cert.pem"), certPem);
    await writeFile(file("key.pem"), keyPem);
    await using server = startClient(node, [SCRIPT, "server", file("cert.pem"), file("key.pem")]);
    const port = Number((await server.until("\n")).trim());
    await using gateway = await startGatewayProcess({
      policy: `generic:\n  inspect: ["localhost:${port}"]\n  groups: { read: { tiers: [observe] } }\n  rules: { allow: { groups: [read] } }\n`,
    });
    await gateway.control.call("upstreams_add", {
      host: "localhost",
      port,
      ca_pem: authority.caPem,
      source: "test",
    });
    await writeFile(file("iddio.pem"), gateway.caPem);
    await using client = startClient(node, [
      SCRIPT,
      "client",
      gateway.listen,
      `localhost:${port}`,
      file("iddio.pem"),
    ]);
    await gateway.approve(({ tier, path }) => tier === "break-glass" && path === "/chat");
    expect(JSON.parse(await client.until("\n"))).toEqual({
      echoed: [true, true, true],
      pong: "p",
      code: 4001,
      reason: "bye",
    });
    const rows = await gateway.rowsWhen((all) => all.some(({ op }) => op === "mitm"));
    expect(rows.find(({ op }) => op === "mitm")?.fields).toMatchObject({ status: 101, outcome: "approved" });
  }, 120_000);
