// Rows as syslog over TLS, or over plain TCP to this machine. The protocol acknowledges nothing: a
// batch counts as delivered when the connection took all of it and was not closed for a moment
// after. Rows that a reset loses in that moment are sent again; the receiver may see a row twice.

import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { outboundPlace, type Reach } from "../../../host/outgoing/send-request.ts";
import type { Entry } from "../../../model/entry.ts";
import { octetCounted, syslogMessage } from "../formats/syslog-message.ts";
import type { Delivery, Sender, Sink } from "../sink.ts";

const CONNECT_MS = 15_000;
const WRITE_MS = 30_000;
/** A receiver that drops the connection does so at once. */
const SETTLE_MS = 250;

/** How the receiver is reached. */
export interface SyslogTarget {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly reach: Reach;
  readonly caPem?: string;
}

/** Keeps one connection. */
export function syslogSink(to: SyslogTarget, sender: Sender, render: (entry: Entry) => unknown): Sink {
  let open: Socket | undefined;
  const drop = () => {
    open?.destroy();
    open = undefined;
  };
  return {
    maxRows: 500,
    maxBytes: 512 * 1024,
    gatherMs: 0,
    async deliver(rows, signal): Promise<Delivery> {
      const text = rows.map((row) => octetCounted(syslogMessage(row, sender, render(row)))).join("");
      try {
        open = open === undefined || open.destroyed ? await connect(to, signal) : open;
        await write(open, text, signal);
        return { kind: "delivered" };
      } catch (error) {
        drop();
        return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
      }
    },
    async [Symbol.asyncDispose]() {
      drop();
    },
  };
}

async function connect(to: SyslogTarget, signal: AbortSignal): Promise<Socket> {
  const place = await outboundPlace({ hostname: to.host }, to.reach);
  if ("refused" in place) throw new Error(place.refused);
  const socket = to.isTls
    ? connectTls({
        host: place.host,
        port: to.port,
        ...(isIP(to.host) === 0 ? { servername: to.host } : {}),
        ...(to.caPem === undefined ? {} : { ca: to.caPem }),
      })
    : connectTcp({ host: place.host, port: to.port });
  // A later error is told by `destroyed`; without a listener it would end the process.
  socket.on("error", () => undefined).resume();
  return until(
    socket,
    to.isTls ? "secureConnect" : "connect",
    CONNECT_MS,
    signal,
    "could not be connected to",
  );
}

async function write(socket: Socket, text: string, signal: AbortSignal): Promise<void> {
  const taken = until(socket, "iddio:taken", WRITE_MS, signal, "took no more");
  socket.write(text, (error) => error ?? socket.emit("iddio:taken"));
  await taken;
  await Bun.sleep(SETTLE_MS);
  if (socket.destroyed || socket.readableEnded) throw new Error("the receiver closed the connection");
}

/** Resolves with the socket at the event; rejects when it fails, closes or takes too long. */
function until(
  socket: Socket,
  event: string,
  ms: number,
  signal: AbortSignal,
  tooLate: string,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const fail = (error: unknown) => {
    socket.destroy();
    reject(error instanceof Error ? error : new Error("the receiver closed the connection"));
  };
  const onAbort = () => fail(new Error("stopped"));
  const onClose = () => fail(undefined);
  const timer = setTimeout(() => fail(new Error(`the receiver ${tooLate} in time`)), ms);
  const done = () => resolve(socket);
  socket.once(event, done).once("error", fail).once("close", onClose);
  signal.addEventListener("abort", onAbort, { once: true });
  return promise.finally(() => {
    clearTimeout(timer);
    socket.off(event, done).off("error", fail).off("close", onClose);
    signal.removeEventListener("abort", onAbort);
  });
}
