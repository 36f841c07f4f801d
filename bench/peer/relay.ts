// The bare TLS-to-TLS relay as a peer; see relay-process.ts.

import { createAuthority } from "../../test/support/cluster/authority.ts";
import { startWorker } from "../worker.ts";
import type { StartPeer } from "./peer.ts";

/** Starts the relay towards the origin's TLS port. */
export const startRelay: StartPeer = async (origin) => {
  const authority = await createAuthority("bench relay");
  const { certPem, keyPem } = await authority.serverCertificate(["localhost"]);
  const worker = startWorker("peer/relay-process.ts");
  const port = await worker.call<number>("start", {
    port: origin.tls,
    caPem: origin.caPem,
    certPem,
    keyPem,
  });
  return {
    name: "bare relay",
    pid: worker.pid,
    route: (_, to) => ({
      port,
      authority: `localhost:${origin[to]}`,
      caPem: authority.caPem,
    }),
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  };
};
