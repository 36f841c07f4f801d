// How the process that carries a run's connections shows the daemon that it is the one: by the
// run's token, on a connection that stays open as long as the run lives.

import { LineSocket } from "./line-socket.ts";
import type { BridgeSpec } from "./spec.ts";

const RETRY_MS = 500;

/**
 * Registers, and again whenever the daemon has restarted. Resolves with whether the first time succeeded. `passes` says
 * that connections will be handed over as open sockets.
 */
export async function register(
  spec: Pick<BridgeSpec, "socket" | "token">,
  onEnd: () => void,
  passes = false,
): Promise<boolean> {
  const channel = await LineSocket.open(spec.socket);
  if (channel === undefined) return false;
  channel.write(`IDDIO-RUN ${spec.token}${passes ? " PASSES" : ""}`);
  if ((await channel.next()) !== "OK") {
    channel.close();
    return false;
  }
  void (async () => {
    const line = await channel.next();
    channel.close();
    if (line === "END") return onEnd();
    // The daemon restarts, or has gone: without it there is no network, and with the next one there is again.
    do await Bun.sleep(RETRY_MS);
    while (!(await register(spec, onEnd, passes)));
  })();
  return true;
}
