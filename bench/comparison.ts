// Rounds that alternate between peers, so that what the machine does meanwhile meets all of them
// alike; and what comes of them: rates, processor time an operation, ratios.

import type { LoadResult } from "./load/process.ts";
import type { OriginPorts } from "./origin-process.ts";
import type { Peer, StartPeer } from "./peer/peer.ts";
import { processorMs } from "./process-usage.ts";
import type { Report } from "./report.ts";
import { median, ratios, type Series, short, shown } from "./series.ts";

/** The rates of one peer, a value a round. */
export interface Standing {
  /** Operations a second. */
  readonly rates: number[];
  /** Microseconds of the peer's processor time an operation; empty when unknown. */
  readonly costs: number[];
}

/** The least share of an earlier build's rate that must be left. */
export const NO_SLOWER = 0.97;

/** The standings by peer's name. */
export type Standings = ReadonlyMap<string, Standing>;

/** Starts what is installed; says what is not. */
export async function startPeers(
  origin: OriginPorts,
  starts: readonly StartPeer[],
  stack: AsyncDisposableStack,
  report: Report,
): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const start of starts) {
    const peer = await start(origin);
    if (typeof peer === "string") report.write(`  left out: ${peer}`);
    else peers.push(stack.use(peer));
  }
  return peers;
}

/**
 * Turns of a peer before its connections are measured. The runtime compiles for the first ten thousand connections or so:
 * these are all that a bench would see, and a daemon runs for days.
 */
export const CONNECTION_WARM_UPS = 4;

/** Measures every peer once a round, beginning each round with another one, after so many turns of each that do not count. */
export async function compare(
  peers: readonly Peer[],
  rounds: number,
  measure: (peer: Peer) => Promise<LoadResult>,
  warmUps = 1,
): Promise<Standings> {
  const standings = new Map<string, Standing>(peers.map(({ name }) => [name, { rates: [], costs: [] }]));
  for (const peer of peers) for (let turn = 0; turn < warmUps; turn++) await measure(peer);
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < peers.length; turn++) {
      const peer = peers[(round + turn) % peers.length] as Peer;
      const before = processorMs(peer.pid);
      const { count, elapsedMs } = await measure(peer);
      const after = processorMs(peer.pid);
      const standing = standings.get(peer.name);
      standing?.rates.push((count / elapsedMs) * 1000);
      if (before !== undefined && after !== undefined)
        standing?.costs.push(((after - before) * 1000) / count);
    }
  return standings;
}

/** Prints the standings, with the ratio of the first peer's rate to each other's. */
export function showStandings(report: Report, unit: string, standings: Standings, scale = 1): void {
  const [first] = standings.values();
  const rows = [...standings].map(([name, { rates, costs }]) => [
    name,
    shown(rates.map((rate) => rate * scale)),
    costs.length === 0 ? "" : short(median(costs)),
    standings.size > 1 && first ? `${short(median(ratios(first.rates, rates)))}x` : "",
  ]);
  report.table([["", unit, "µs of its processor time each", "iddio against it"], ...rows]);
}

/** Holds the ratio of iddio's rate to a peer's against a bar; does nothing when the peer is not there. */
export function rateBar(
  report: Report,
  standings: Standings,
  peer: string,
  what: string,
  limit: number,
): void {
  const own = standings.get("iddio");
  const other = standings.get(peer);
  if (own === undefined || other === undefined) return;
  const series: Series = ratios(own.rates, other.rates);
  report.bar({
    what: `${what}: iddio / ${peer}`,
    value: median(series),
    limit,
    wants: "at least",
    spread: `${short(Math.min(...series))} to ${short(Math.max(...series))}`,
  });
}
