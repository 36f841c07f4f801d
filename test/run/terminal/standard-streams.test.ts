// The standard streams that an agent may inherit: descriptors of folders, devices and sockets are
// ways out.

import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import net from "node:net";
import { streamProblem } from "../../../src/features/run/standard-streams.ts";

const linux = test.if(process.platform === "linux");

linux("files, pipes and /dev/null are handed over; folders are not", () => {
  for (const [path, problem] of [
    ["/etc/hostname", undefined],
    ["/dev/null", undefined],
    ["/", "a folder"],
  ] as const) {
    const fd = openSync(path, "r");
    expect([path, streamProblem(fd)]).toEqual([path, problem]);
    closeSync(fd);
  }
  expect(streamProblem(1 << 20)).toBeUndefined();
});

linux(
  "a socket of the network is refused, a unix stream in place of a pipe is not",
  async () => {
    const seen = Promise.withResolvers<net.Socket>();
    const server = net.createServer(seen.resolve);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
    const peer = await seen.promise;
    const fdOf = (socket: net.Socket) => (socket as unknown as { _handle: { fd: number } })._handle.fd;
    expect(streamProblem(fdOf(peer))).toBe("a socket of this machine's network");
    peer.destroy();
    client.destroy();
    server.close();
    // Bun's own pipes to a child are unix streams.
    const child = Bun.spawn(
      [
        process.execPath,
        "-e",
        `import { streamProblem } from ${JSON.stringify(`${import.meta.dir}/../../../src/features/run/standard-streams.ts`)}; process.stderr.write(String([0, 1, 2].map((fd) => streamProblem(fd))));`,
      ],
      { stdin: "pipe", stdout: "pipe", stderr: "pipe" },
    );
    expect(await new Response(child.stderr).text()).toBe(",,");
  },
  120_000,
);
