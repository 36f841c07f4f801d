// The beginning of every part of the soak: a ledger, an upstream, and the gateway as a process of
// its own that inspects it.

import { openFiles } from "../../bench/process-usage.ts";
import { COMPILED_FULLY } from "../support/clients.ts";
import { type GatewayProcess, startGatewayProcess } from "../support/gateway.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { Http1Client } from "./client/http1.ts";
import { openClient } from "./client/socket.ts";
import { kindOf, soakPolicy, targetOf } from "./kinds.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { Origin } from "./origin/origin.ts";

/** The scene; disposing of it ends both processes. */
export interface Scene extends AsyncDisposable {
  readonly directory: string;
  readonly ledger: Ledger;
  readonly origin: Origin;
  readonly gateway: GatewayProcess;
  /** Open files of the gateway while nobody is connected; undefined where the system does not tell. */
  readonly filesBefore: number | undefined;
  /** Sends a request of its own and says whether the upstream's reply came back. */
  answers(): Promise<boolean>;
  /** Ends the upstream's side of every connection that the gateway keeps. */
  quiet(): Promise<void>;
  /** Has the gateway give up its side of them at once, and not when it next looks, which is every ten seconds. */
  hurry(): Promise<void>;
}

/** Clients may overshoot a little, and the last number is for the question whether the gateway still answers. */
const SPARE = 1_000;

/** Starts it with room for so many requests. */
export async function startScene(requests: number): Promise<Scene> {
  await using own = new AsyncDisposableStack();
  const { path: directory } = own.use(await temporaryDirectory());
  const place = { directory, size: requests + SPARE };
  const ledger = openLedger(place);
  const origin = own.use(await Origin.start(place));
  const inspected = [origin.ports.http1, origin.ports.http2];
  const gateway = own.use(
    await startGatewayProcess({
      policy: soakPolicy(inspected.map((port) => `localhost:${port}`)),
      // The upstream counts what arrives and is no cluster: iddio's own reads of it would be counted as the client's, and
      // what it sends after an upgrade are not frames.
      settings: "undo: off\nrecord_sessions: off\nrecord_port_forward: off\n",
      env: COMPILED_FULLY,
    }),
  );
  const trust = async () => {
    const { caPem: ca_pem } = origin;
    for (const port of inspected)
      await gateway.control.call("upstreams_add", { host: "localhost", port, ca_pem, source: "soak" });
  };
  await trust();
  const answers = () => answersOnce(gateway, origin, ledger, place.size - 1);
  const quiet = async () => {
    await origin.kill();
    await origin.restart();
  };
  // Its files are open after a first request, and so are connections, which end with the upstream.
  if (!(await answers())) throw new Error("the gateway does not answer at all");
  await quiet();
  // A change of trust ends what was connected before it.
  await trust();
  await Bun.sleep(100);
  const filesBefore = openFiles(gateway.pid);
  const owned = own.move();
  return {
    directory,
    ledger,
    origin,
    gateway,
    filesBefore,
    answers,
    quiet,
    hurry: trust,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function answersOnce(
  gateway: GatewayProcess,
  origin: Origin,
  ledger: Ledger,
  id: number,
): Promise<boolean> {
  const authority = `localhost:${origin.ports.http1}`;
  const socket = await openClient({ proxyPort: gateway.port, authority, caPem: gateway.caPem });
  const client = new Http1Client(socket, authority);
  ledger.kinds[id] = 1;
  const kind = kindOf(1);
  if (kind === undefined) return false;
  const { reply } = client.send({
    method: "GET",
    target: targetOf(kind, id),
    body: Buffer.alloc(0),
    isChunked: false,
    upTo: "end",
  });
  const answer = await reply;
  client.end();
  ledger.kinds[id] = 0;
  return answer?.status === 200 && answer.body.length === kind.reply;
}
