// The daemon sets its allocator by starting anew in its own process: number, words and environment
// must be those that it was started with.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { keepFreedMemory } from "../../src/host/process/memory/kept-memory.ts";
import { builtBinary } from "../support/built-binary.ts";
import { eventually } from "../support/eventually.ts";
import { startGatewayProcess } from "../support/gateway.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { testSettings } from "../support/test-settings.ts";

const isLinux = process.platform === "linux";

test.skipIf(!isLinux)(
  "a daemon keeps freed memory for a second, under the number that it was started with",
  async () => {
    await using gateway = await startGatewayProcess();
    const { pid } = await gateway.control.call("status", {});
    expect(pid).toBe(gateway.pid);
    expect(readFileSync(`/proc/${gateway.pid}/environ`, "latin1").split("\0")).toContain(
      "MIMALLOC_PURGE_DELAY=1000",
    );
  },
);

test.skipIf(!isLinux)("what is no UTF-8 in its environment stays as it was", async () => {
  await using home = await temporaryDirectory();
  await writeFile(`${home.path}/settings.yaml`, testSettings());
  const script = 'ODD=$(printf "\\377x"); export ODD; exec "$0" gateway';
  await using child = Bun.spawn(["/bin/sh", "-c", script, builtBinary()], {
    env: { PATH: "/usr/bin:/bin", HOME: home.path, IDDIO_HOME: home.path },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  const environment = await eventually(
    async () => readFileSync(`/proc/${child.pid}/environ`),
    (octets) => octets.includes("MIMALLOC_PURGE_DELAY="),
  );
  expect(environment.includes(Buffer.from("ODD=\xffx\0", "latin1"))).toBe(true);
  expect(readFileSync(`/proc/${child.pid}/cmdline`, "utf8")).toBe(`${builtBinary()}\0gateway\0`);
});

test("programs that the daemon starts do not inherit it", () => {
  const before = process.env.MIMALLOC_PURGE_DELAY;
  process.env.MIMALLOC_PURGE_DELAY = "1000";
  try {
    keepFreedMemory();
    expect(process.env.MIMALLOC_PURGE_DELAY).toBeUndefined();
  } finally {
    if (before !== undefined) process.env.MIMALLOC_PURGE_DELAY = before;
  }
});
