// A port of the agent's that `--publish` shows outside: carries one connection to it. Loaded when
// the first one comes.

import { Channel } from "../../../gateway/stream/channel.ts";
import { relay } from "../../../gateway/stream/relay.ts";
import { TcpStream } from "../../../gateway/stream/tcp-stream.ts";
import { dial } from "./dial.ts";
import type { BridgeSpec } from "./spec.ts";

/** A connection from outside to a port of the agent's. */
export async function publish(
  spec: Pick<BridgeSpec, "hostSocket">,
  serial: number,
  port: number,
): Promise<void> {
  const outside = await dial(spec.hostSocket);
  if (outside === undefined) return;
  outside.write(new TextEncoder().encode(`stream ${serial}\n`));
  // Node's servers on `localhost` listen on one of the two.
  const inside = (await connect("127.0.0.1", port)) ?? (await connect("::1", port));
  if (inside === undefined) return outside.destroy();
  await relay(outside, inside);
}

function connect(hostname: string, port: number): Promise<Channel | undefined> {
  return new Promise((resolve) => {
    Bun.connect({
      hostname,
      port,
      allowHalfOpen: true,
      data: undefined,
      socket: TcpStream.handlers((stream) => resolve(new Channel(stream))),
    }).catch(() => resolve(undefined));
  });
}
