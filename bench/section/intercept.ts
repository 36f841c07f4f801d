// Intercepted requests: on kept connections, and each on a connection of its own.

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
import { startMitmproxy } from "../peer/mitmproxy.ts";
import { type Peer, startDirect } from "../peer/peer.ts";
import { startRelay } from "../peer/relay.ts";
import { startSquidBump } from "../peer/squid.ts";

const CONNECTIONS = 16;

/** Measures; then sees that every reply came from the origin and none from a peer's memory. */
function counted(bench: Bench, call: "keepAlive" | "fresh", connections: number) {
  return async (peer: Peer): Promise<LoadResult> => {
    const before = await bench.originWorker.call<number>("requests");
    const result = await bench.load.call<LoadResult>(call, {
      route: peer.route(bench.origin, "tls"),
      connections,
      durationMs: bench.roundMs,
    });
    const reached = (await bench.originWorker.call<number>("requests")) - before;
    if (reached < result.count)
      throw new Error(`${peer.name} gave ${result.count} replies, the origin only ${reached}`);
    return result;
  };
}

/** Requests on connections that are kept. */
export const keepAliveSection: Section = {
  name: "keep-alive",
  summary: "intercepted requests a second on kept connections, policy and audit on",
  async run(bench) {
    await using stack = new AsyncDisposableStack();
    const starts = [
      startIddio,
      ...startBeside(bench),
      startSquidBump,
      startMitmproxy,
      startRelay,
      startDirect,
    ];
    const peers = await startPeers(bench.origin, starts, stack, bench.report);
    const standings = await compare(peers, bench.rounds, counted(bench, "keepAlive", CONNECTIONS));
    showStandings(bench.report, `requests/s, ${CONNECTIONS} connections`, standings);
    rateBar(bench.report, standings, "squid ssl-bump", "keep-alive requests/s", 1.4);
    rateBar(bench.report, standings, "mitmproxy", "keep-alive requests/s", 16);
    rateBar(bench.report, standings, "bare relay", "keep-alive requests/s", 0.6);
    rateBar(bench.report, standings, BESIDE, "keep-alive requests/s", NO_SLOWER);
  },
};

/** CONNECT, TLS and one request, over and over. */
export const newConnectionsSection: Section = {
  name: "new-connections",
  summary: "CONNECT, TLS and one intercepted request a second",
  async run(bench) {
    await using stack = new AsyncDisposableStack();
    const starts = [startIddio, ...startBeside(bench), startDirect, startSquidBump, startMitmproxy];
    const peers = await startPeers(bench.origin, starts, stack, bench.report);
    const measure = counted(bench, "fresh", 4);
    const standings = await compare(peers, bench.rounds, measure, CONNECTION_WARM_UPS);
    showStandings(bench.report, "new connections/s, 4 at a time", standings);
    rateBar(bench.report, standings, "direct", "new connections/s", 0.65);
    rateBar(bench.report, standings, "squid ssl-bump", "new connections/s", 1.2);
    rateBar(bench.report, standings, "mitmproxy", "new connections/s", 3.5);
    rateBar(bench.report, standings, BESIDE, "new connections/s", NO_SLOWER);
  },
};
