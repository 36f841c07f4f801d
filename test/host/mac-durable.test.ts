// The calls of macOS beside fsync, by an fcntl that writes down how it was called; who is a
// neighbour on the network; and the file that launchd appends to.

import { expect, test } from "bun:test";
import { chmod, open, stat, writeFile } from "node:fs/promises";
import type { NetworkInterfaceInfo } from "node:os";
import { join } from "node:path";
import { isOnLocalNetwork } from "../../src/gateway/upstream/dial/local-network.ts";
import { unreadable } from "../../src/gateway/upstream/trust.ts";
import { isAtScreen } from "../../src/host/process/desktop-notification.ts";
import { syncOrdered, syncWhole } from "../../src/state/durable.ts";
import { boundDaemonErrors } from "../../src/state/log/daemon-errors.ts";
import { sourceFiles } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

test("rows are ordered by a barrier, files that are replaced are flushed, and what knows no barrier is flushed", async () => {
  await using directory = await temporaryDirectory();
  const file = await open(join(directory.path, "rows"), "w");
  try {
    const calls: number[] = [];
    const fcntl = (isKnown: boolean) => (fd: number, command: number) => {
      expect(fd).toBe(file.fd);
      calls.push(command);
      return command === 85 && !isKnown ? -1 : 0;
    };
    await syncOrdered(file, fcntl(true));
    expect(calls.splice(0)).toEqual([85]);
    await syncOrdered(file, fcntl(false));
    expect(calls.splice(0)).toEqual([85, 51]);
    await syncWhole(file, fcntl(true));
    expect(calls.splice(0)).toEqual([51]);
    await syncOrdered(file);
    await syncWhole(file);
  } finally {
    await file.close();
  }
});

test("whatever is flushed is flushed by the two ways that macOS needs", () => {
  const others = sourceFiles("src")
    .filter(({ path }) => path !== "src/state/durable.ts")
    .filter(({ code }) => /\.(?:data)?sync\(\)|\bf(?:data)?sync(?:Sync)?\(/.test(code))
    .map(({ path }) => path);
  // The journal's own file, which is flushed so.
  expect(others).toEqual(["src/state/journal/journal.ts"]);
});

test("what launchd appends to is emptied over 1 MiB, and is its owner's alone", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "daemon.stderr.log");
  await boundDaemonErrors(path);
  await writeFile(path, "port taken\n");
  await chmod(path, 0o644);
  await boundDaemonErrors(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(path)).size).toBe(11);
  await writeFile(path, "x".repeat(1024 * 1024 + 1));
  await boundDaemonErrors(path);
  expect((await stat(path)).size).toBe(0);
});

test("a neighbour is in the subnet of an interface that is no loopback and no tunnel", () => {
  const one = (cidr: string, internal = false): NetworkInterfaceInfo =>
    ({ cidr, internal, family: cidr.includes(":") ? "IPv6" : "IPv4" }) as NetworkInterfaceInfo;
  const interfaces = {
    lo0: [one("127.0.0.1/8", true)],
    en0: [one("192.168.7.20/24"), one("fd00:1::20/64"), one("fe80::1/64")],
    utun3: [one("10.8.0.2/16"), one("fd00:9::2/64")],
    en5: [one("172.20.10.2/32")],
  };
  for (const [address, isNeighbour] of [
    ["192.168.7.1", true],
    ["fd00:1::99", true],
    ["192.168.8.1", false],
    ["10.8.0.1", false],
    ["fd00:9::1", false],
    ["127.0.0.1", false],
    ["172.20.10.1", false],
    ["1.1.1.1", false],
    ["example.com", false],
  ] as const)
    expect([address, isOnLocalNetwork(address, interfaces)]).toEqual([address, isNeighbour]);
});

test("a client certificate in a folder of the user that macOS protects is told as such", () => {
  const kept = Object.assign(new Error("operation not permitted"), { code: "EPERM" });
  expect(unreadable(kept, "darwin")).toContain("Documents");
  expect(unreadable(kept, "darwin")).toContain("put it elsewhere");
  for (const text of [unreadable(kept, "linux"), unreadable(new Error("damaged"), "darwin")])
    expect(text).toBe("the client certificate registered for it cannot be read");
});

test("notifications are for a session at the screen", async () => {
  await using directory = await temporaryDirectory();
  const launchctl = join(directory.path, "launchctl");
  for (const [name, isSeen] of [
    ["Aqua", true],
    ["Background", false],
    ["StandardIO", false],
  ] as const) {
    await writeFile(launchctl, `#!/bin/sh\necho ${name}\n`);
    await chmod(launchctl, 0o755);
    expect(isAtScreen({ IDDIO_TEST_TOOLS: directory.path })).toBe(isSeen);
  }
});
