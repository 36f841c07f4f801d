// mitmproxy without its screen and without a log of flows, verifying upstreams against the origin's
// CA.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, type Peer, peerDirectory, proxyRoute, runPeer, type StartPeer } from "./peer.ts";

/** Starts mitmdump. */
export const startMitmproxy: StartPeer = async (origin): Promise<Peer | string> => {
  const program = Bun.which("mitmdump");
  if (program === null) return "mitmproxy is not installed";
  const directory = await peerDirectory();
  const port = freePort();
  const roots = join(directory, "origin.pem");
  await writeFile(roots, origin.caPem);
  const settings = [`confdir=${directory}`, `ssl_verify_upstream_trusted_ca=${roots}`, "flow_detail=0"];
  const peer = await runPeer({
    name: "mitmproxy",
    directory,
    command: [
      program,
      ...["-q", "--listen-host", "127.0.0.1", "--listen-port", String(port)],
      ...settings.flatMap((setting) => ["--set", setting]),
    ],
    port,
  });
  const caPem = await readFile(join(directory, "mitmproxy-ca-cert.pem"), "utf8");
  return { ...peer, route: proxyRoute(port, caPem) };
};
