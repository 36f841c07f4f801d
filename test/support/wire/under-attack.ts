// The compiled gateway while one unkind client does everything at once: what a person and another
// client get of it, measured. For the test in CI and for the long run of the soak.

import { chmodSync, copyFileSync } from "node:fs";
import type net from "node:net";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { processorMs, residentMb } from "../../../bench/process-usage.ts";
import { placeProgram } from "../built-binary.ts";
import { COMPILED_FULLY } from "../clients.ts";
import { type GatewayProcess, startGatewayProcess } from "../gateway.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { connectTls } from "./proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "./raw-origin.ts";
import type { UnkindOrders } from "./unkind-client.ts";

/** The measurements, in milliseconds and megabytes. */
export interface Seen {
  /** The slowest answer of each control method. */
  readonly slowestMs: Readonly<Record<string, number>>;
  /** Reads of another client that passed, and the slowest; every one must. */
  readonly reads: number;
  readonly readProblems: readonly string[];
  readonly slowestReadMs: number;
  readonly denied: number;
  readonly mostMb: number;
  readonly longestStallMs: number;
  /** Sockets that the gateway says are open some time after the end. */
  readonly socketsAfter: number;
  /** The unkind client's open connections when it was last asked. */
  readonly had: string;
  /** The part of one processor that the gateway used while nobody but the silent streams was there. */
  readonly idleShare: number;
}

/** How much slower than on a machine of its own an answer may come here. */
export function slack(): number {
  const asked = Number(process.env.IDDIO_TEST_SLACK ?? "");
  if (asked >= 1) return asked;
  return Math.max(1, ((loadavg()[0] ?? 0) / availableParallelism()) * 1.5);
}

const PIECE = Buffer.alloc(256 * 1024, "m");

/** Answers `/much` without end and `/silent` never. */
function startOrigin(): Promise<RawOrigin> {
  return startRawOrigin((socket, received) => {
    const start = /(?:^|\r\n\r\n)GET (\/[a-z]+)[^\r]* HTTP\/1.1\r\n(?:[^\r]+\r\n)*\r\n$/.exec(received)?.[1];
    if (start === "/much") {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
      pour(socket);
    } else if (start !== undefined && start !== "/silent")
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
}

function pour(socket: net.Socket): void {
  const more = () => {
    while (!socket.destroyed) if (!socket.write(PIECE)) return void socket.once("drain", more);
  };
  more();
}

const policy = (port: number) => `
generic:
  inspect: ["localhost:${port}"]
  default: deny
  groups: { read: { tiers: [observe] }, write: { tiers: [modify] } }
  rules: { allow: { groups: [read] }, escalate: { groups: [write] } }
`;

/** A client that has not begun by then never does. */
const MOST_TO_BEGIN_MS = 60_000;

/** How long, how much, and under which limits. */
export interface AttackOptions {
  /** From when the client has said that it holds connections. */
  readonly seconds: number;
  readonly scale: number;
  readonly openFiles?: number;
  /** Runs gateway and unkind client as this user; only root can. */
  readonly uid?: number;
  /** Runs the unkind client as this user instead: another one than the gateway's. */
  readonly attackerUid?: number;
  readonly tell?: (line: string) => void;
}

/** Runs the attack against a gateway of its own. */
export async function underAttack(options: AttackOptions): Promise<Seen> {
  await using own = new AsyncDisposableStack();
  const origin = own.use(await startOrigin());
  const gateway = own.use(
    await startGatewayProcess({
      policy: policy(origin.port),
      env: COMPILED_FULLY,
      ...(options.openFiles === undefined ? {} : { openFiles: options.openFiles }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
    }),
  );
  const { port, caPem } = origin;
  await gateway.control.call("upstreams_add", { host: "localhost", port, ca_pem: caPem, source: "test" });
  const orders: UnkindOrders = {
    proxyPort: gateway.port,
    caPem: gateway.caPem,
    targetPort: port,
    socketPath: join(gateway.home, "iddio.sock"),
    scale: options.scale,
  };
  const script = new URL("./unkind-client.ts", import.meta.url).pathname;
  const attacker = options.attackerUid ?? options.uid;
  // A user who may not go into the state directory starts from elsewhere.
  const place = options.attackerUid === undefined ? gateway.home : own.use(await temporaryDirectory()).path;
  if (options.attackerUid !== undefined) chmodSync(place, 0o755);
  const command = attacker === undefined ? [process.execPath, script] : asUser(place, attacker, script);
  const child = Bun.spawn([...command, JSON.stringify(orders)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  own.defer(() => void child.kill("SIGKILL"));
  let had = "";
  void (async () => {
    for await (const lines of child.stdout)
      had = Buffer.from(lines).toString().trim().split("\n").at(-1) ?? had;
  })();
  const seen = await watch(gateway, port, options, () => had.includes("/silent"));
  child.kill("SIGKILL");
  await child.exited;
  const socketsAfter = await settled(gateway, origin);
  return { ...seen, socketsAfter, had };
}

/** The script as the gateway's own user, from copies that this user can read. */
function asUser(home: string, uid: number, script: string): string[] {
  const [program, copy] = [join(home, "bun-copy"), join(home, "unkind-client.ts")];
  placeProgram(program, process.execPath);
  copyFileSync(script, copy);
  chmodSync(copy, 0o755);
  return ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--", program, copy];
}

/** Measures from the start, and for so many seconds after the client said that it is at it. */
async function watch(
  gateway: GatewayProcess,
  port: number,
  { seconds, tell }: AttackOptions,
  isUnderWay: () => boolean,
) {
  const slowestMs: Record<string, number> = {};
  const readProblems: string[] = [];
  let [reads, slowestReadMs, denied, mostMb, longestStallMs] = [0, 0, 0, 0, 0];
  const timed = async <T>(name: string, call: () => Promise<T>): Promise<T> => {
    const began = performance.now();
    const answer = await call();
    slowestMs[name] = Math.max(slowestMs[name] ?? 0, performance.now() - began);
    return answer;
  };
  let until = performance.now() + MOST_TO_BEGIN_MS;
  let hasBegun = false;
  let [usedBefore, toldAt] = [processorMs(gateway.pid) ?? 0, performance.now()];
  let idleShare = 1;
  while (performance.now() < until) {
    if (!hasBegun && isUnderWay()) {
      hasBegun = true;
      until = performance.now() + seconds * 1_000;
    }
    const { longest_stall_ms = 0 } = await timed("status", () => gateway.control.call("status", {}));
    longestStallMs = Math.max(longestStallMs, longest_stall_ms);
    const { approvals } = await timed("approval list", () => gateway.control.call("approvals_list", {}));
    const [oldest] = approvals;
    if (oldest) {
      const deny = () => gateway.control.call("approvals_deny", { id: oldest.id, reason: "unkind" });
      // It may have been withdrawn since.
      await timed("approval deny", () =>
        deny()
          .then(() => (denied += 1))
          .catch(() => {}),
      );
    }
    await timed("set-proxy-mode", () => gateway.control.call("mode_set", { proxy_mode: "enforce" }));
    const began = performance.now();
    await readOnce(gateway, port).then(
      () => {
        reads += 1;
        slowestReadMs = Math.max(slowestReadMs, performance.now() - began);
      },
      (error: Error) => readProblems.push(error.message.slice(0, 200)),
    );
    mostMb = Math.max(mostMb, residentMb(gateway.pid) ?? 0);
    if (tell && performance.now() - toldAt > 10_000) {
      const used = processorMs(gateway.pid) ?? 0;
      idleShare = (used - usedBefore) / (performance.now() - toldAt);
      tell(`${mostMb.toFixed(0)} MB, ${reads} reads, ${(idleShare * 100).toFixed(0)} % of a processor`);
      [usedBefore, toldAt] = [used, performance.now()];
    }
    await Bun.sleep(50);
  }
  return { slowestMs, reads, readProblems, slowestReadMs, denied, mostMb, longestStallMs, idleShare };
}

/** Another client, another process than the unkind one, reads something. */
async function readOnce(gateway: GatewayProcess, port: number): Promise<void> {
  using client = await connectTls(gateway.port, `localhost:${port}`, { ca: gateway.caPem });
  client.send(`GET /ok HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
  const reply = await client.until("\r\n\r\n");
  if (!reply.startsWith("HTTP/1.1 200")) throw new Error(reply);
}

/** How many sockets are open once the gateway has noticed who left; connections that it keeps have fifty seconds. */
async function settled(gateway: GatewayProcess, { port, caPem }: RawOrigin): Promise<number> {
  const until = performance.now() + 20_000;
  for (;;) {
    // A change of trust ends what is kept for later.
    await gateway.control.call("upstreams_add", { host: "localhost", port, ca_pem: caPem, source: "test" });
    const { open_sockets = -1 } = await gateway.control.call("status", {});
    if (open_sockets === 0 || performance.now() > until) return open_sockets;
    await Bun.sleep(100);
  }
}
