// The kernel's answer about a connection of this very process.

import { expect, test } from "bun:test";
import net from "node:net";
import { userInfo } from "node:os";
import { socketOwner } from "../../src/host/process/sockets/socket-owner.ts";

for (const host of ["127.0.0.1", "::1"])
  test(`a connection over ${host} belongs to the user who opened it`, async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const { port } = server.address() as net.AddressInfo;
    const socket = net.connect(port, host);
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    const client = { address: host, port: socket.localPort ?? 0 };
    expect(socketOwner(client, { address: host, port })?.uid).toBe(userInfo().uid);
    expect(socketOwner({ ...client, port: 1 }, { address: host, port })).toBeUndefined();
    socket.destroy();
    server.close();
  });
