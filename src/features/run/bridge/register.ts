// How the process that carries a run's connections shows the daemon that it is the one: by the
// run's token, on a connection that stays open as long as the run lives.

import { dial } from "./connections.ts";
import { BridgeLineReader, type BridgeSpec } from "./spec.ts";

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
  const channel = await dial(spec.socket);
  if (channel === undefined) return false;
  channel.write(new TextEncoder().encode(`IDDIO-RUN ${spec.token}${passes ? " PASSES" : ""}\n`));
  const reader = new BridgeLineReader();
  let isAdmitted = false;
  const next = async () => {
    while (await channel.readable()) {
      const [line] = reader.push(channel.read());
      if (line !== undefined) return line;
    }
    return undefined;
  };
  isAdmitted = (await next()) === "OK";
  if (!isAdmitted) {
    channel.destroy();
    return false;
  }
  void (async () => {
    const line = await next();
    channel.destroy();
    if (line === "END") return onEnd();
    // The daemon restarts, or has gone: without it there is no network, and with the next one there is again.
    do await Bun.sleep(RETRY_MS);
    while (!(await register(spec, onEnd, passes)));
  })();
  return true;
}
