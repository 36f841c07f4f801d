// Hosts that no inspect entry names: what clients get is what the upstream sent, under the
// upstream's own certificate, and all that is kept of it is one metadata row.

import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { findClient, runClient } from "../support/clients.ts";
import { createAuthority } from "../support/cluster/authority.ts";
import { startGatewayProcess } from "../support/gateway.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const BODY = randomBytes(1_000_003);
const SUM = new Bun.CryptoHasher("sha256").update(BODY).digest("hex");

const PYTHON = `
import hashlib, os, ssl, sys, urllib.request
context = ssl.create_default_context(cafile=os.environ["ORIGIN_CA"])
body = urllib.request.build_opener(urllib.request.ProxyHandler({"https": os.environ["HTTPS_PROXY"]}), urllib.request.HTTPSHandler(context=context)).open(sys.argv[1]).read()
print(hashlib.sha256(body).hexdigest())
`;

const NODE = `
const net = await import("node:net"), tls = await import("node:tls"), https = await import("node:https"), crypto = await import("node:crypto"), fs = await import("node:fs");
const url = new URL(process.argv[2]), proxy = new URL(process.env.HTTPS_PROXY);
const socket = net.connect(Number(proxy.port), proxy.hostname, () => socket.write("CONNECT " + url.host + " HTTP/1.1\\r\\nHost: " + url.host + "\\r\\n\\r\\n"));
socket.once("data", () => {
  const secure = tls.connect({ socket, servername: url.hostname, ca: fs.readFileSync(process.env.ORIGIN_CA) });
  https.get(url, { createConnection: () => secure }, (response) => {
    const sum = crypto.createHash("sha256");
    response.on("data", (piece) => sum.update(piece)).on("end", () => { console.log(sum.digest("hex")); process.exit(0); });
  });
});
`;

describe("a client of an uninspected host", () => {
  const CLIENTS: [string, string, (files: { python: string; node: string }, url: string) => string[]][] = [
    ["curl", "curl", (_files, url) => ["-sS", "--noproxy", "", url]],
    ["python's urllib", "python3", ({ python }, url) => [python, url]],
    ["node's https in a tunnel", "node", ({ node }, url) => [node, url]],
  ];
  for (const [name, program, args] of CLIENTS) {
    const client = findClient(program);
    if (client === undefined) continue;
    test(`${name} gets the upstream's own bytes and certificate, and one row is kept`, async () => {
      await using directory = await temporaryDirectory();
      await using gateway = await startGatewayProcess();
      await using origin = await startOrigin();
      const files = { python: join(directory.path, "get.py"), node: join(directory.path, "get.mjs") };
      const ca = join(directory.path, "ca.pem");
      await writeFile(files.python, PYTHON);
      await writeFile(files.node, NODE);
      await writeFile(ca, origin.caPem);
      // Only the origin's CA is trusted: a leaf of iddio's would fail the handshake.
      const proxy = `http://${gateway.listen}`;
      const env = {
        HTTPS_PROXY: proxy,
        https_proxy: proxy,
        ORIGIN_CA: ca,
        CURL_CA_BUNDLE: ca,
        NO_PROXY: "",
        no_proxy: "",
      };
      const url = `https://localhost:${origin.port}/file`;
      const output = program === "curl" ? ["-o", join(directory.path, "file")] : [];
      const { code, stdout, stderr } = await runClient(client, [...args(files, url), ...output], { env });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const got =
        program === "curl"
          ? new Bun.CryptoHasher("sha256")
              .update(await Bun.file(join(directory.path, "file")).bytes())
              .digest("hex")
          : stdout.trim();
      expect(got).toBe(SUM);
      const rows = await gateway.rowsWhen((all) => all.length > 0);
      expect(rows.map(({ op }) => op)).toEqual(["passthrough"]);
      expect(Object.keys(rows[0]?.fields ?? {}).sort()).toEqual(["client", "host", "port", "reason"]);
    });
  }
});

async function startOrigin() {
  const authority = createAuthority("origin");
  const { certPem, keyPem } = authority.serverCertificate(["localhost"]);
  const server = https.createServer({ cert: certPem, key: keyPem }, (_request, response) =>
    response.end(BODY),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    caPem: authority.caPem,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
