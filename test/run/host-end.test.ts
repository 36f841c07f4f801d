// The person's end of a run: a published port takes connections from the moment that `iddio run`
// says so, and the bridge learns of each, also of those that came before it.

import { expect, test } from "bun:test";
import net from "node:net";
import { join } from "node:path";
import { HostEnd } from "../../src/features/run/bridge/host-end.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

test("a connection from outside that came before the bridge is carried when the bridge is there", async () => {
  await using directory = await temporaryDirectory();
  const free = net.createServer();
  await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
  const { port } = free.address() as net.AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const path = join(directory.path, "host.sock");
  using _ = await HostEnd.listen(path, [port]);
  const browser = net.connect(port, "127.0.0.1");
  await new Promise((resolve) => browser.once("connect", resolve));
  const said = new Promise<string>((resolve) => browser.once("data", (bytes) => resolve(String(bytes))));
  // Long enough for the connection to have been accepted by this same process.
  await Bun.sleep(50);

  const bridge = net.connect(path);
  const line = await new Promise<string>((resolve) => bridge.once("data", (bytes) => resolve(String(bytes))));
  expect(line).toBe(`open 1 ${port}\n`);
  const stream = net.connect(path);
  stream.write("stream 1\nhello");
  expect(await said).toBe("hello");
  for (const socket of [browser, bridge, stream]) socket.destroy();
});
