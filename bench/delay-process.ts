// A relay that puts an upstream some milliseconds away. Loopback completes a TCP handshake at once,
// so what a client sends within the first round trip is held until the handshake would have ended.

import type { Socket } from "bun";
import { answerCalls } from "./worker.ts";

interface Side {
  other: Socket<Side> | undefined;
  /** Nothing leaves towards the other side before this time. */
  readonly openAt: number;
  pending: { readonly at: number; readonly bytes: Uint8Array | "end" }[];
  timer: ReturnType<typeof setTimeout> | undefined;
}

let halfMs = 20;

function later(side: Side, bytes: Uint8Array | "end"): void {
  const now = performance.now();
  side.pending.push({ at: Math.max(now, side.openAt) + halfMs, bytes });
  schedule(side);
}

function schedule(side: Side): void {
  const first = side.pending[0];
  // Time 0 marks bytes that wait for room, not for their time.
  if (first === undefined || first.at === 0 || side.timer !== undefined) return;
  const wait = first.at - performance.now();
  side.timer = setTimeout(
    () => {
      side.timer = undefined;
      deliver(side);
      schedule(side);
    },
    Math.max(0, wait),
  );
}

function deliver(side: Side): void {
  if (side.other === undefined) return;
  while ((side.pending[0]?.at ?? Number.POSITIVE_INFINITY) <= performance.now() + 0.5) {
    const { bytes } = side.pending.shift() as { bytes: Uint8Array | "end" };
    if (bytes === "end") side.other.end();
    else {
      const sent = Math.max(0, side.other.write(bytes));
      // The rest goes when the socket drains, before anything later.
      if (sent < bytes.length) return void side.pending.unshift({ at: 0, bytes: bytes.subarray(sent) });
    }
  }
}

/** Octets that wait for a socket belong to the other side. */
function drained(side: Side | undefined): void {
  if (side === undefined) return;
  deliver(side);
  schedule(side);
}

function newSide(openAt: number): Side {
  return { other: undefined, openAt, pending: [], timer: undefined };
}

/** Relays to a loopback port, `roundTripMs` away. Answers with the port to dial. */
function start({ port, roundTripMs }: { port: number; roundTripMs: number }): number {
  halfMs = roundTripMs / 2;
  const server = Bun.listen<Side>({
    hostname: "127.0.0.1",
    port: 0,
    data: newSide(0),
    socket: {
      open(client) {
        client.data = newSide(performance.now() + roundTripMs);
        client.setNoDelay(true);
        const upstream = newSide(0);
        upstream.other = client;
        Bun.connect<Side>({
          hostname: "127.0.0.1",
          port,
          data: upstream,
          socket: {
            open(socket) {
              socket.setNoDelay(true);
              client.data.other = socket;
              schedule(client.data);
            },
            data: (socket, bytes) => later(socket.data, Buffer.from(bytes)),
            drain: () => drained(client.data),
            close: (socket) => later(socket.data, "end"),
            error() {},
          },
        }).catch(() => client.end());
      },
      data: (client, bytes) => later(client.data, Buffer.from(bytes)),
      drain: (client) => drained(client.data.other?.data),
      close: (client) => later(client.data, "end"),
      error() {},
    },
  });
  return server.port;
}

answerCalls({ start });
