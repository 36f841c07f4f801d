// A real daemon inside the test process: temporary state directory, port 0, real sockets.
// For tests that look into what it wrote; the compiled binary is started by gateway.ts.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ControlClient } from "../../src/api/client.ts";
import type { Approval } from "../../src/api/reports.ts";
import { type RunningGateway, startGateway } from "../../src/gateway/start.ts";
import type { Entry } from "../../src/model/entry.ts";
import { eventually } from "./eventually.ts";
import { giveAuthority } from "./shared/authority.ts";
import { giveDatabase } from "./shared/database.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { testSettings } from "./test-settings.ts";

/** A daemon under test. */
export interface Daemon extends AsyncDisposable {
  readonly home: string;
  readonly port: number;
  readonly control: ControlClient;
  readonly gateway: RunningGateway;
  /** The certificate that clients must trust. */
  readonly caPem: string;
  /** Rows of audit.jsonl so far. */
  rows(): Promise<Entry[]>;
  /** Resolves with the rows once `enough` holds for them. */
  rowsWhen(enough: (rows: readonly Entry[]) => boolean): Promise<Entry[]>;
  /** Resolves with the pending approvals once there are `count`. */
  pending(count?: number): Promise<readonly Approval[]>;
}

/** The options of a test's daemon. */
export interface DaemonOptions {
  readonly policy: string;
  /** Lines of settings.yaml beside `proxy_listen`. */
  readonly settings?: string;
  /** Beside IDDIO_HOME. */
  readonly env?: Readonly<Record<string, string>>;
  /** Upstreams to trust. */
  readonly trust?: readonly {
    readonly port: number;
    readonly caPem: string;
    readonly hosts?: readonly string[];
  }[];
  /** The state directory, empty, which is then left where it is; else one of its own. */
  readonly home?: string;
  /** The clock that upstream certificates are judged by. */
  readonly now?: () => number;
}

/** Starts a daemon; `await using` stops it. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  await using own = new AsyncDisposableStack();
  const home = options.home ?? own.use(await temporaryDirectory()).path;
  await writeFile(join(home, "policy.yaml"), options.policy);
  await writeFile(join(home, "settings.yaml"), testSettings(options.settings));
  await giveAuthority(home);
  await giveDatabase(home);
  const gateway = await startGateway({
    env: { ...options.env, IDDIO_HOME: home },
    version: "vtest",
    ...(options.now ? { now: options.now } : {}),
  });
  const control = new ControlClient(join(home, "iddio.sock"));
  for (const { port, caPem, hosts } of options.trust ?? [])
    for (const host of hosts ?? ["localhost", "127.0.0.1"])
      await control.call("upstreams_add", { host, port, ca_pem: caPem, source: "test" });
  const directory = own.move();
  const rows = async () => parseRows(await readFile(join(home, "audit.jsonl"), "utf8"));
  return {
    home,
    port: Number(gateway.listen.split(":").at(-1)),
    control,
    gateway,
    caPem: await readFile(join(home, "ca.crt"), "utf8"),
    rows,
    rowsWhen: (enough) => eventually(rows, enough),
    pending: (count = 1) =>
      eventually(
        async () => (await control.call("approvals_list", {})).approvals,
        (approvals) => approvals.length >= count,
      ),
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}

function parseRows(text: string): Entry[] {
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Entry);
}
