// Many or slow peers: the memory of the gateway process stays where it was, and anyone who comes
// next is served.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type net from "node:net";
import { openFileLimit } from "../../src/host/process/open-file-limit.ts";
import { eventually } from "../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../support/gateway.ts";
import { openFiles } from "../support/open-files.ts";
import { allowing, expectNextServed } from "../support/wire/faults.ts";
import { connectRaw, connectTls, type RawClient } from "../support/wire/proxy-client.ts";
import { answerOk, type RawOrigin, startRawOrigin } from "../support/wire/raw-origin.ts";
import { type Relay, startRelay } from "../support/wire/relay.ts";

const MUCH = 200_000_000;
/** A loaded machine may take this long for that many. */
const LONG_MS = 50_000;
/** Far less than `MUCH`; what the kernel keeps for a connection is not the gateway's. */
const MEGABYTES = 64;
const PIECE = Buffer.alloc(1_000_000, "x");

/** Writes `MUCH` bytes as the socket takes them. */
function pour(socket: net.Socket): void {
  let left = MUCH;
  const more = () => {
    while (left > 0) {
      left -= PIECE.length;
      if (!socket.write(PIECE)) return void socket.once("drain", more);
    }
  };
  more();
}

function residentMegabytes(pid: number): number {
  // ps, because macOS has no /proc.
  return Number(Bun.spawnSync(["ps", "-o", "rss=", "-p", String(pid)]).stdout.toString()) / 1024;
}

let origin: RawOrigin;
/** Before the origin: counts and holds up what the gateway sends it. */
let back: Relay;
/** Before the gateway: counts and holds up what the gateway sends its client. */
let front: Relay;
let gateway: GatewayProcess;
let counted = { sent: 0, returned: 0 };
/** The next connection on this side that says something is held up. */
let holdNext: "upload" | "download" | undefined;
let held: net.Socket | undefined;

/** Passes a piece on with back-pressure, unless its sender is held up. */
function pass(piece: Buffer, from: net.Socket, to: net.Socket, side?: "upload" | "download"): void {
  if (side !== undefined && holdNext === side) {
    held = from;
    holdNext = undefined;
  }
  if (!to.write(piece)) {
    from.pause();
    to.once("drain", () => from === held || from.resume());
  }
  if (from === held) from.pause();
}

function letGo(): void {
  const socket = held;
  held = undefined;
  socket?.resume();
}

beforeAll(async () => {
  const swallowing = new WeakSet<net.Socket>();
  origin = await startRawOrigin((socket, received, piece) => {
    const start = piece.toString("latin1", 0, 10);
    if (start === "GET /much ") {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${MUCH}\r\n\r\n`);
      pour(socket);
    } else if (start === "PUT /much ") swallowing.add(socket);
    else if (!swallowing.has(socket)) answerOk(socket, received, piece);
    // It keeps what it is sent, which is not what is measured here.
    (origin.received as string[]).fill("");
  });
  back = await startRelay(origin.port, {
    fromClient: (piece, { client, target }) => {
      counted.sent += piece.length;
      pass(piece, client, target, "upload");
    },
    fromTarget: (piece, { client, target }) => pass(piece, target, client),
  });
  gateway = await startGatewayProcess({ policy: allowing([back.port]) });
  front = await startRelay(gateway.port, {
    fromClient: (piece, { client, target }) => pass(piece, client, target),
    fromTarget: (piece, { client, target }) => {
      counted.returned += piece.length;
      pass(piece, target, client, "download");
    },
  });
  const { caPem } = origin;
  await gateway.control.call("upstreams_add", {
    host: "localhost",
    port: back.port,
    ca_pem: caPem,
    source: "test",
  });
  await expectNextServed(gateway, back);
}, 120_000);

afterAll(async () => {
  for (const each of [front, gateway, back, origin]) await each[Symbol.asyncDispose]();
});

/** Resolves with what `read` gives once it has stopped changing. */
async function steady(read: () => number): Promise<number> {
  let before = -1;
  return eventually(
    async () => {
      const now = read();
      const isSteady = now === before && now > 0;
      before = now;
      await Bun.sleep(150);
      return isSteady ? now : -1;
    },
    (value) => value >= 0,
    LONG_MS,
  );
}

describe("a slow peer costs no memory", () => {
  for (const direction of ["download", "upload"] as const)
    test(`in ${direction === "upload" ? "an" : "a"} ${direction} of 200 MB, which goes on when it does`, async () => {
      counted = { sent: 0, returned: 0 };
      const before = residentMegabytes(gateway.pid);
      using client = await connectTls(front.port, `localhost:${back.port}`, { ca: gateway.caPem });
      // Nothing of it is wanted here.
      client.socket.removeAllListeners("data").resume();
      holdNext = direction;
      const host = `Host: localhost:${back.port}\r\n`;
      if (direction === "download") client.send(`GET /much HTTP/1.1\r\n${host}\r\n`);
      else {
        client.send(`PUT /much HTTP/1.1\r\n${host}Content-Length: ${MUCH}\r\n\r\n`);
        pour(client.socket);
      }
      const moved = () => (direction === "download" ? counted.returned : counted.sent);
      expect(await steady(moved)).toBeLessThan(MUCH / 4);
      expect(residentMegabytes(gateway.pid) - before).toBeLessThan(MEGABYTES);
      await expectNextServed(gateway, back);

      letGo();
      await eventually(
        async () => moved(),
        (bytes) => bytes >= MUCH,
        LONG_MS,
      );
      expect(residentMegabytes(gateway.pid) - before).toBeLessThan(MEGABYTES * 2);
    }, 120_000);
});

test("five thousand connections that say nothing hold up nobody, and leave nothing behind", async () => {
  const COUNT = 5_000;
  if ((openFileLimit() ?? Number.POSITIVE_INFINITY) < COUNT * 2 + 1_000) {
    process.stderr.write("too few descriptors: five thousand connections are not tried\n");
    return;
  }
  const [files, memory] = [openFiles(gateway.pid), residentMegabytes(gateway.pid)];
  const clients: RawClient[] = [];
  while (clients.length < COUNT)
    clients.push(...(await Promise.all(Array.from({ length: 250 }, () => connectRaw(gateway.port)))));
  await eventually(
    async () => openFiles(gateway.pid),
    (open) => open >= COUNT,
    LONG_MS,
  );
  await expectNextServed(gateway, back);
  expect(residentMegabytes(gateway.pid) - memory).toBeLessThan(MEGABYTES);
  for (const client of clients) client[Symbol.dispose]();
  await eventually(
    async () => openFiles(gateway.pid),
    (open) => open <= files + 5,
    LONG_MS,
  );
  await expectNextServed(gateway, back);
}, 120_000);
