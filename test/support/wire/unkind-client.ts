// One client process that does whatever it can to take everything, all of it together and over and
// over, until its standard input ends: `bun unkind-client.ts '{"proxyPort": …}'`. Prints every
// quarter of a second what it has open.

import http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";

/** The orders of the process. */
export interface UnkindOrders {
  readonly proxyPort: number;
  readonly caPem: string;
  /** The upstream's port on localhost: `/silent` is never answered, `/much` has no end, POST is held, DELETE refused. */
  readonly targetPort: number;
  readonly socketPath: string;
  /** 1: 21 connections with 100 streams, 100 with closed windows, 1,000 holds, 50 bodies, 512 event streams. */
  readonly scale: number;
}

const closers = new Set<() => void>();
const open: Record<string, number> = {};

function count(name: string, by: number): void {
  open[name] = (open[name] ?? 0) + by;
}

/** A TLS connection through the proxy that offers these protocols. */
function tunnel(orders: UnkindOrders, protocols: readonly string[]): Promise<tls.TLSSocket> {
  const { proxyPort, targetPort, caPem } = orders;
  return new Promise((resolve, reject) => {
    const socket = net.connect(proxyPort, "127.0.0.1");
    socket.on("error", reject).once("close", () => reject(new Error("closed")));
    const authority = `localhost:${targetPort}`;
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    socket.once("data", (answer) => {
      if (!answer.toString("latin1").startsWith("HTTP/1.1 200")) return void socket.destroy();
      const secure = tls.connect({
        socket,
        ca: [caPem],
        servername: "localhost",
        ALPNProtocols: [...protocols],
      });
      secure.on("error", reject).once("secureConnect", () => resolve(secure));
    });
  });
}

/** HTTP/2 connections that each open many streams; where `window` is 0 nothing of an answer is taken. */
async function manyStreams(
  orders: UnkindOrders,
  path: string,
  streams: number,
  window: number,
): Promise<void> {
  const socket = await tunnel(orders, ["h2"]);
  const session = http2.connect(`https://localhost:${orders.targetPort}`, {
    createConnection: () => socket,
    settings: { initialWindowSize: window },
  });
  count(path, 1);
  const ended = new Promise<void>((resolve) => session.once("close", resolve).on("error", () => {}));
  closers.add(() => session.destroy());
  for (let each = 0; each < streams; each++) {
    const isHeld = path === "/held";
    const stream = session.request({ ":path": `${path}/${each}`, ":method": isHeld ? "POST" : "GET" });
    stream.on("error", () => {}).on("response", () => {});
    // A reader who pauses: what came is kept by anyone who sent it.
    if (isHeld) stream.end("b".repeat(4_000));
  }
  await ended;
  count(path, -1);
}

/** A body that is announced as nearly a megabyte and hardly begins. */
async function claimBody(orders: UnkindOrders): Promise<void> {
  const socket = await tunnel(orders, ["http/1.1"]);
  count("bodies", 1);
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.resume();
  socket.write(
    `POST /claim HTTP/1.1\r\nHost: localhost:${orders.targetPort}\r\nContent-Length: 900000\r\n\r\n${"c".repeat(10_000)}`,
  );
  await ended;
  count("bodies", -1);
}

/** One refused request after the other. */
async function refusals(orders: UnkindOrders): Promise<void> {
  const socket = await tunnel(orders, ["http/1.1"]);
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const request = `DELETE /${"r".repeat(1_000)} HTTP/1.1\r\nHost: localhost:${orders.targetPort}\r\n\r\n`;
  socket.on("data", () => {
    count("refusals", 1);
    socket.write(request);
  });
  socket.write(request);
  await ended;
}

/** An event stream of the control socket that nobody reads. */
function unreadEvents({ socketPath }: UnkindOrders): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(socketPath);
    const body = JSON.stringify({ follow: true });
    socket.pause();
    socket.on("error", () => {}).once("close", () => resolve());
    socket.write(
      `POST /v1/events HTTP/1.1\r\nHost: iddio\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  });
}

/** Connections that are broken off at once: reset, half open, in the middle of TLS. */
async function brokenOff(orders: UnkindOrders): Promise<void> {
  const socket = net.connect(orders.proxyPort, "127.0.0.1");
  await new Promise<void>((resolve) => socket.once("connect", resolve).once("error", () => resolve()));
  const authority = `localhost:${orders.targetPort}`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  socket.write(Buffer.from("16030100ff01000000", "hex"));
  await Bun.sleep(20 + Math.random() * 100);
  count("broken off", 1);
  if (Math.random() < 0.5) socket.resetAndDestroy();
  else socket.destroy();
}

let isOver = false;

/** Does it again as soon as it ends, a little later after a failure. */
async function forever(attack: () => Promise<void>): Promise<void> {
  while (!isOver) {
    await attack().catch(() => {});
    await Bun.sleep(200);
  }
}

function attack(orders: UnkindOrders): void {
  const lanes = (most: number, one: () => Promise<void>) => {
    for (let each = 0; each < Math.ceil(most * orders.scale); each++) void forever(one);
  };
  lanes(21, () => manyStreams(orders, "/silent", 100, 65_535));
  lanes(100, () => manyStreams(orders, "/much", 20, 0));
  lanes(10, () => manyStreams(orders, "/held", 100, 65_535));
  lanes(50, () => claimBody(orders));
  lanes(4, () => refusals(orders));
  lanes(512, () => unreadEvents(orders));
  lanes(8, () => brokenOff(orders));
}

async function main(): Promise<void> {
  process.on("uncaughtException", () => {});
  process.on("unhandledRejection", () => {});
  attack(JSON.parse(process.argv[2] ?? "") as UnkindOrders);
  setInterval(() => process.stdout.write(`${JSON.stringify(open)}\n`), 250).unref();
  for await (const _ of process.stdin);
  isOver = true;
  process.exit();
}

if (import.meta.main) await main();
