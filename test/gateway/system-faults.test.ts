// The system under a gateway gives out: the disk is full, the state directory is read-only, there
// are no more descriptors. What must be recorded and cannot be does not happen; everything else
// goes on, and all is well again afterwards.

import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { startGateway } from "../../src/gateway/start.ts";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { startGatewayProcess } from "../support/gateway.ts";
import { openFiles } from "../support/open-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { testSettings } from "../support/test-settings.ts";
import { allowing, expectNextServed, intercepted, logWhen } from "../support/wire/faults.ts";
import { connectRaw, type RawClient } from "../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../support/wire/raw-origin.ts";

/** A directory on a small disk of its own; undefined where none can be mounted. */
async function smallDisk(megabytes: number) {
  const directory = await temporaryDirectory();
  const options = `size=${megabytes}m,mode=700`;
  const { exitCode } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory.path]);
  if (exitCode !== 0) {
    process.stderr.write(
      "cannot mount a small tmpfs: the gateway is not tried on a full or read-only disk\n",
    );
    await directory[Symbol.asyncDispose]();
    return undefined;
  }
  const ballast = join(directory.path, "ballast");
  return {
    path: directory.path,
    /** Takes all the room there is. */
    fill() {
      const file = openSync(ballast, "w");
      for (const size of [65_536, 1]) {
        const bytes = Buffer.alloc(size);
        try {
          for (;;) writeSync(file, bytes);
        } catch {
          // That was the last of it.
        }
      }
      closeSync(file);
    },
    free: () => rmSync(ballast),
    remount: (mode: "ro" | "rw") => Bun.spawnSync(["mount", "-o", `remount,${mode}`, directory.path]),
    async [Symbol.asyncDispose]() {
      // Lazily: what is still open on it must not hide why a test failed.
      Bun.spawnSync(["umount", "-l", directory.path]);
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Sends one request on a connection of its own; gives the answer's head. */
async function ask(daemon: Daemon, origin: RawOrigin, method: string, path: string): Promise<string> {
  using client = await intercepted(daemon, origin.port);
  client.send(`${method} ${path} HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: 0\r\n\r\n`);
  return await client.until("\r\n\r\n");
}

describe("on a full disk", () => {
  for (const audit_failure of ["closed", "open"] as const)
    test(`reads go on, and what must be recorded ${audit_failure === "closed" ? "is refused" : "goes as told"}, until there is room`, async () => {
      await using disk = await smallDisk(4);
      if (disk === undefined) return;
      await using origin = await startRawOrigin();
      const policy = allowing([origin.port]);
      const settings = `audit_failure: ${audit_failure}\n`;
      await using daemon = await startDaemon({ home: disk.path, policy, settings, trust: [origin] });
      expect(await ask(daemon, origin, "POST", "/before")).toStartWith("HTTP/1.1 200 ");
      await daemon.rowsWhen((rows) => rows.some(({ op }) => op === "mitm"));

      disk.fill();
      // The last page of the log may still have room for a row or two.
      await eventually(
        async () => {
          expect(await ask(daemon, origin, "GET", `/fill-${"x".repeat(2_000)}`)).toStartWith("HTTP/1.1 200 ");
          return (await daemon.control.call("status", {})).audit_problem;
        },
        (problem) => problem?.includes("ENOSPC") ?? false,
      );
      const answer = await ask(daemon, origin, "POST", `/full-${"x".repeat(5_000)}`);
      if (audit_failure === "open") expect(answer).toStartWith("HTTP/1.1 200 ");
      else {
        expect(answer).toStartWith("HTTP/1.1 403 ");
        expect(origin.text).not.toContain("POST /full");
        expect(answer).toContain("could not forward");
        expect(answer).not.toContain("by policy");
      }
      const before = readFileSync(join(disk.path, "settings.yaml"), "utf8");
      const change = daemon.control.call("settings_set", { name: "log_level", value: "debug" });
      expect(await change.catch(String)).toContain("ENOSPC");
      expect(readFileSync(join(disk.path, "settings.yaml"), "utf8")).toBe(before);

      disk.free();
      expect(await ask(daemon, origin, "POST", "/after")).toStartWith("HTTP/1.1 200 ");
      expect((await daemon.control.call("status", {})).audit_problem).toBeUndefined();
      const text = await eventually(
        async () => readFileSync(join(disk.path, "audit.jsonl"), "utf8"),
        (all) => all.split("/after").length === 3,
      );
      // At most the one line that the disk cut is not a row.
      const torn = text.split("\n").filter((line) => line !== "" && !line.endsWith("}"));
      expect(torn.length).toBeLessThanOrEqual(1);
    });

  test("a gateway does not start, says why, and starts when there is room", async () => {
    await using disk = await smallDisk(4);
    if (disk === undefined) return;
    disk.fill();
    const start = () => startGateway({ env: { IDDIO_HOME: disk.path }, version: "vtest" });
    expect(await start().then(() => "", String)).toMatch(/full|ENOSPC/);
    disk.free();
    await Bun.write(join(disk.path, "settings.yaml"), testSettings());
    await (await start()).stop();
  });
});

test("in a read-only state directory a gateway does not start and says why", async () => {
  await using disk = await smallDisk(4);
  if (disk === undefined) return;
  disk.remount("ro");
  const started = startGateway({ env: { IDDIO_HOME: disk.path }, version: "vtest" });
  expect(await started.then(() => "", String)).toContain("the file system is read-only");
  disk.remount("rw");
  expect(readdirSync(disk.path)).toEqual([]);
});

describe("with few descriptors", () => {
  const clients: RawClient[] = [];
  afterAll(() => {
    for (const client of clients) client[Symbol.dispose]();
  });

  test("connections beyond what there is room for are closed at once, and the others are served", async () => {
    await using origin = await startRawOrigin();
    await using gateway = await startGatewayProcess({ policy: allowing([origin.port]), openFiles: 100 });
    const { port, caPem } = origin;
    await gateway.control.call("upstreams_add", { host: "localhost", port, ca_pem: caPem, source: "test" });
    let refused = 0;
    for (let i = 0; i < 300; i += 1) {
      const client = await connectRaw(gateway.port).catch(() => undefined);
      if (client) clients.push(client);
      else refused += 1;
    }
    const closed = () => refused + clients.filter(({ isClosed }) => isClosed).length;
    await eventually(
      async () => closed(),
      (count) => count >= 250,
    );
    expect(closed()).toBeLessThan(300);
    await logWhen(gateway, /connections refused: reason="\d+ are open/);
    expect((await gateway.control.call("status", {})).daemon).toBe("up");

    for (const client of clients.splice(0)) client[Symbol.dispose]();
    await eventually(
      async () => openFiles(gateway.pid),
      (open) => open < 60,
    );
    await expectNextServed(gateway, origin);
  }, 120_000);

  test("many upstreams at once cost some requests a 502 or 503 at most", async () => {
    await using gateway = await startGatewayProcess({
      policy: 'generic:\n  inspect: ["localhost"]\n  default: allow\n',
      openFiles: 60,
    });
    const origins = await Promise.all(Array.from({ length: 40 }, () => startRawOrigin()));
    for (const { port, caPem } of origins)
      await gateway.control.call("upstreams_add", { host: "localhost", port, ca_pem: caPem, source: "test" });
    for (const origin of origins) {
      using client = await intercepted(gateway, origin.port);
      client.send(`GET /a HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`);
      expect(await client.until("\r\n\r\n")).toMatch(/^HTTP\/1\.1 (200|502|503) /);
    }
    expect((await gateway.control.call("status", {})).daemon).toBe("up");
    await expectNextServed(gateway, origins[0] as RawOrigin);
    for (const origin of origins) await origin[Symbol.asyncDispose]();
  }, 120_000);
});
