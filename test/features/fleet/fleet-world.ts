// A daemon that belongs to a fleet before it starts, and the upstream that its requests are for.

import { join } from "node:path";
import type { FleetReport } from "../../../src/api/methods/fleet.ts";
import type { Enrolment } from "../../../src/features/fleet/enrolment.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { FleetStore } from "../../../src/state/tables/fleet-store.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { connectTls, type RawClient } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";

const LONG_MS = 120_000;

/** The daemon with its upstream. */
export interface FleetWorld extends AsyncDisposable {
  readonly origin: RawOrigin;
  readonly daemon: Daemon;
  send(method: string, path: string): Promise<RawClient>;
  /** The status of a request that is answered at once. */
  status(method: string, path?: string): Promise<number>;
  /** How it stands with its fleet, once that fits. */
  reportWhen(fits: (report: FleetReport) => boolean): Promise<FleetReport>;
}

/** A policy of one block for the upstream, with this default. */
export function policyOf(port: number, action: string): string {
  return `generic:\n  inspect: ["localhost:${port}"]\n  default: ${action}\n`;
}

/** Starts it; without an enrolment it belongs to no fleet. */
export async function startFleetWorld(
  enrolment: Enrolment | undefined,
  { local = "allow", home = "", settings = "", block = "generic" } = {},
): Promise<FleetWorld> {
  await using own = new AsyncDisposableStack();
  const folder = home === "" ? own.use(await temporaryDirectory()).path : home;
  if (enrolment !== undefined) {
    const database = openDatabase(join(folder, "state.db"));
    const store = new FleetStore(database);
    if (store.get("enrolment") === undefined) store.put("enrolment", enrolment);
    database.close();
  }
  const origin = own.use(await startRawOrigin());
  const daemon = own.use(
    await startDaemon({
      trust: [origin],
      policy: policyOf(origin.port, local).replace("generic", block),
      settings: `approval_timeout: 10m\n${settings}`,
      home: folder,
    }),
  );
  const held = own.move();
  const send = async (method: string, path: string) => {
    const client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
    client.send(`${method} ${path} HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: 0\r\n\r\n`);
    return client;
  };
  return {
    origin,
    daemon,
    send,
    async status(method, path = "/x") {
      using client = await send(method, path);
      return Number(/^HTTP\/1\.1 (\d+)/.exec(await client.until("\r\n\r\n"))?.[1]);
    },
    reportWhen: (fits) => eventually(() => daemon.control.call("fleet_status", {}), fits, LONG_MS),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
