// A daemon whose requests are held, for the tests of who is told of them.

import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { connectTls, type RawClient } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";

/** A daemon and the upstream that its held requests are for. */
export interface World extends AsyncDisposable {
  readonly origin: RawOrigin;
  readonly daemon: Daemon;
  /** Sends a request that is held. */
  hold(method?: string, path?: string): Promise<RawClient>;
}

/** Starts both. */
export async function startWorld(settings = "", home?: string): Promise<World> {
  const origin = await startRawOrigin();
  const policy = `generic:\n  inspect: ["localhost:${origin.port}"]\n  default: escalate\n`;
  const daemon = await startDaemon({
    trust: [origin],
    policy,
    settings: `approval_timeout: 10m\nnotifications: off\n${settings}`,
    ...(home === undefined ? {} : { home }),
  });
  return {
    origin,
    daemon,
    async hold(method = "POST", path = "/thing") {
      const client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
      client.send(
        `${method} ${path} HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: 0\r\n\r\n`,
      );
      return client;
    },
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}
