// How long a client of MCP is left waiting before it hears something. Most give up a request after
// a minute.

import { wantsAddress } from "../../../protocols/mcp/era.ts";
import type { JsonObject } from "../../../wire/jsonrpc/message.ts";

/** How long a relay waits for what; tests are less patient. */
export interface RelayPatience {
  /** Until a client that asked for progress hears that it waits, and between two such words. */
  readonly progressMs: number;
  /** Until a client that did not is told to come again; most give up after a minute. */
  readonly parkMs: number;
}

/** Until a client that can show its person where to decide is told where. */
const ADDRESS_MS = 500;

/** How long a client that hears nothing meanwhile waits until it is told to come again. */
export function parkAfterMs({ parkMs }: RelayPatience, params: JsonObject): number {
  return wantsAddress(params) ? Math.min(ADDRESS_MS, parkMs) : parkMs;
}

/** The daemon's patience with clients of MCP. */
export const RELAY_PATIENCE: RelayPatience = { progressMs: 10_000, parkMs: 45_000 };

/** Tests are less patient: IDDIO_MCP_PATIENCE is two numbers of milliseconds, for progress and for coming again. */
export function patienceOf(env: Readonly<Record<string, string | undefined>>): RelayPatience {
  const [progressMs, parkMs] = (env.IDDIO_MCP_PATIENCE ?? "").split(",").map(Number);
  return {
    progressMs: progressMs && progressMs >= 10 ? progressMs : RELAY_PATIENCE.progressMs,
    parkMs: parkMs && parkMs >= 10 ? parkMs : RELAY_PATIENCE.parkMs,
  };
}
