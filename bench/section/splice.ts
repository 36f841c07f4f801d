// Spliced connections: bytes a second through few, and how many new ones a second.

import type { Bench, Section } from "../bench.ts";
import {
  CONNECTION_WARM_UPS,
  compare,
  NO_SLOWER,
  rateBar,
  showStandings,
  startPeers,
} from "../comparison.ts";
import type { LoadResult } from "../load/process.ts";
import { BESIDE, startBeside, startIddio } from "../peer/iddio.ts";
import { type Peer, type StartPeer, startDirect } from "../peer/peer.ts";
import { startSquidTunnel } from "../peer/squid.ts";
import { startTinyproxy } from "../peer/tinyproxy.ts";
import { BLOCK_LENGTH } from "../target.ts";

const SPLICES = { inspects: false };
const MEGABYTES = { quick: 128, whole: 768 };

async function start(bench: Bench, stack: AsyncDisposableStack) {
  const own: StartPeer = (origin) => startIddio(origin, SPLICES);
  const starts = [own, ...startBeside(bench, SPLICES), startDirect, startTinyproxy, startSquidTunnel];
  return startPeers(bench.origin, starts, stack, bench.report);
}

/** Bulk through two tunnels at a time. */
export const spliceSection: Section = {
  name: "splice",
  summary: "bytes through uninspected tunnels",
  async run(bench) {
    await using stack = new AsyncDisposableStack();
    const peers = await start(bench, stack);
    const megabytes = bench.isQuick ? MEGABYTES.quick : MEGABYTES.whole;
    const bytes = Math.floor((megabytes * 1e6) / 2 / BLOCK_LENGTH) * BLOCK_LENGTH;
    const standings = await compare(peers, bench.rounds, (peer) =>
      bench.load.call<LoadResult>("bulk", { route: peer.route(bench.origin, "bulk"), connections: 2, bytes }),
    );
    showStandings(bench.report, "MB/s, 2 tunnels", standings, 1e-6);
    rateBar(bench.report, standings, "tinyproxy", "splice throughput", 2);
    rateBar(bench.report, standings, "squid", "splice throughput", 1);
    rateBar(bench.report, standings, "direct", "splice throughput", 0.55);
    rateBar(bench.report, standings, BESIDE, "splice throughput", NO_SLOWER);
  },
};

/** New tunnels, each with one message there and back. */
export const tunnelsSection: Section = {
  name: "tunnels",
  summary: "new uninspected tunnels a second, with a hello there and back",
  async run(bench) {
    await using stack = new AsyncDisposableStack();
    const peers = await start(bench, stack);
    const measure = (peer: Peer) =>
      bench.load.call<LoadResult>("tunnels", {
        route: peer.route(bench.origin, "echo"),
        connections: 8,
        durationMs: bench.roundMs,
      });
    const standings = await compare(peers, bench.rounds, measure, CONNECTION_WARM_UPS);
    showStandings(bench.report, "new tunnels/s, 8 at a time", standings);
    rateBar(bench.report, standings, "squid", "new tunnels/s", 1);
    rateBar(bench.report, standings, BESIDE, "new tunnels/s", NO_SLOWER);
  },
};
