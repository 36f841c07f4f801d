// An open connection given from one process to another over a unix socket: it arrives whole, with
// its words; what is no connection is closed, and nobody who does not answer holds the sender up.

import { expect, test } from "bun:test";
import { fstatSync, openSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { adoptSocket } from "../../src/gateway/stream/adopt-socket.ts";
import { Channel } from "../../src/gateway/stream/channel.ts";
import { sendDescriptor, takeConnection } from "../../src/host/process/sockets/pass-descriptor.ts";
import { handedOverLine, readHandedOver } from "../../src/host/sandbox/handed-over.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const linux = test.if(process.platform === "linux");

/** Listens at a path and gives what the next peer passes. */
function receiver(path: string) {
  const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<typeof takeConnection>>>();
  const server = Bun.listen({
    unix: path,
    socket: {
      open(socket) {
        void takeConnection((socket as unknown as { fd: number }).fd).then(resolve);
        socket.end();
      },
      data() {},
    },
  });
  return { passed: promise, stop: () => server.stop(true) };
}

linux(
  "a connection arrives with its line and with what was said on it already, and works both ways",
  async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "socket");
    const { passed, stop } = receiver(path);
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open(socket) {
          expect(
            sendDescriptor(path, "CAUGHT a.example:443\n", (socket as unknown as { fd: number }).fd),
          ).toBe(true);
          socket.close();
        },
        data() {},
      },
    });
    const client = net.connect(server.port, "127.0.0.1");
    client.write("early");
    const given = await passed;
    expect(given?.text).toBe("CAUGHT a.example:443\n");
    const channel = new Channel(await adoptSocket(given?.fd ?? -1));
    expect(channel.stream).toBeDefined();
    await channel.readable();
    expect(new TextDecoder().decode(channel.read())).toBe("early");
    const heard = new Promise<string>((resolve) => client.once("data", (bytes) => resolve(String(bytes))));
    channel.write(new TextEncoder().encode("answer"));
    expect(await heard).toBe("answer");
    const over = new Promise((resolve) => channel.onOver(() => resolve(undefined)));
    client.end();
    await over;
    channel.end();
    server.stop(true);
    stop();
  },
);

linux("what is no connection of the Internet protocols is closed and not taken", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "socket");
  for (const make of [() => openSync("/dev/null", "r"), () => openSync(directory.path, "r")]) {
    const { passed, stop } = receiver(path);
    const fd = make();
    expect(sendDescriptor(path, "PROXY\n", fd)).toBe(true);
    const before = fstatSync(fd).ino;
    expect(await passed).toBeUndefined();
    expect(fstatSync(fd).ino).toBe(before);
    stop();
  }
  const { passed, stop } = receiver(path);
  // Words without anything beside them, as any program can send them.
  net.connect(path).end("PROXY\n");
  expect(await passed).toBeUndefined();
  stop();
});

linux("nobody who listens, and a path that no socket can have: nothing is sent", async () => {
  await using directory = await temporaryDirectory();
  expect(sendDescriptor(join(directory.path, "nobody"), "PROXY\n", 0)).toBe(false);
  expect(sendDescriptor(join(directory.path, "x".repeat(200)), "PROXY\n", 0)).toBe(false);
});

test("the line says where a connection was meant to go, or that it is for the proxy, and whose it is", () => {
  for (const inode of [{}, { inode: 123_456 }])
    for (const caught of [{}, { caught: "a.example:443" }, { caught: "[2001:db8::1]:80" }])
      expect(readHandedOver(handedOverLine({ ...caught, ...inode }))).toEqual({ ...caught, ...inode });
  for (const line of [
    "",
    "PROXY 0",
    "PROXY\n",
    "PROXY 0\nPROXY 0\n",
    "PROXY 0 a:1\n",
    "PROXY -1\n",
    "CAUGHT 0 \n",
    "CAUGHT a:1\n",
    "CAUGHT 0 a b\n",
    "CAUGHT 0 a\nCAUGHT 0 b\n",
    "caught 0 a:1\n",
  ])
    expect([line, readHandedOver(line)]).toEqual([line, undefined]);
});
