// The bridge's own connection to the daemon: an order that comes with the admission is not lost, a
// refusal is one, and lines come whole however they are cut.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { LineSocket } from "../../src/features/run/bridge/line-socket.ts";
import { register } from "../../src/features/run/bridge/register.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const TOKEN = "0".repeat(64);

/** A daemon that answers the first line with these pieces. */
function daemon(path: string, pieces: readonly string[]) {
  const heard: string[] = [];
  const server = Bun.listen({
    unix: path,
    socket: {
      data(socket, bytes) {
        heard.push(bytes.toString());
        for (const piece of pieces) socket.write(piece);
      },
    },
  });
  return { heard, stop: () => server.stop(true) };
}

test("the order to end that comes at once with the admission ends the agent", async () => {
  await using directory = await temporaryDirectory();
  const socket = join(directory.path, "run.sock");
  const { heard, stop } = daemon(socket, ["OK\nEND\n"]);
  const ended = Promise.withResolvers<void>();
  expect(await register({ socket, token: TOKEN }, () => ended.resolve(), true)).toBe(true);
  await ended.promise;
  expect(heard).toEqual([`IDDIO-RUN ${TOKEN} PASSES\n`]);
  stop();
});

test("anything but an admission is none, and so is nobody", async () => {
  await using directory = await temporaryDirectory();
  const socket = join(directory.path, "run.sock");
  const { stop } = daemon(socket, ["NO\n"]);
  expect(await register({ socket, token: TOKEN }, () => undefined)).toBe(false);
  stop();
  expect(await register({ socket: `${socket}-gone`, token: TOKEN }, () => undefined)).toBe(false);
});

test("lines come whole and in order, and the end of the connection after them", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "lines.sock");
  const server = Bun.listen({
    unix: path,
    socket: {
      data(socket) {
        socket.write("on");
        socket.write("e\ntwo\nthr");
        socket.end("ee\n");
      },
    },
  });
  const lines = await LineSocket.open(path);
  lines?.write("go");
  const said: (string | undefined)[] = [];
  do said.push(await lines?.next());
  while (said.at(-1) !== undefined);
  expect(said).toEqual(["one", "two", "three", undefined]);
  server.stop(true);
});
