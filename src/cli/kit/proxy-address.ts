// Where clients on this machine reach the proxy. A listener on every address is reached by
// loopback.

import { STATUS_METHOD } from "../../api/methods/status.ts";
import type { CommandContext } from "./command.ts";
import { isDown } from "./is-down.ts";

/** Where the proxy listens unless the settings say otherwise. */
export const DEFAULT_LISTEN = "127.0.0.1:9443";

/** The running daemon's address; without one, that of the settings, which is where it will listen. */
export async function proxyAddress({
  daemon,
  paths,
}: Pick<CommandContext, "daemon" | "paths">): Promise<string> {
  try {
    return reachable((await daemon.call("status", {}, STATUS_METHOD)).proxy_listen);
  } catch (error) {
    if (!isDown(error)) throw error;
  }
  const { parseSettings } = await import("../../state/settings/settings.ts");
  const { readConfigFile } = await import("../../state/trusted-file.ts");
  // Settings that the daemon would not load say nothing of its address.
  const parsed = parseSettings((await readConfigFile(paths.settings).catch(() => undefined)) ?? "");
  return reachable("settings" in parsed ? parsed.settings.proxy_listen : DEFAULT_LISTEN);
}

/** The loopback address for a listener on all addresses, else the address itself. */
export function reachable(listen: string): string {
  return listen.replace(/^(?:0\.0\.0\.0|\[::\]|\*)?:(?=\d+$)/, "127.0.0.1:");
}
