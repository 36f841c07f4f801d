// Observe sessions: bounded, ended by themselves, and nothing of them left behind, also when
// the daemon was restarted in the middle.

import { describe, expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startGateway } from "../../src/gateway/start.ts";
import type { Mode } from "../../src/model/mode.ts";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { connectTls } from "../support/wire/proxy-client.ts";
import { startRawOrigin } from "../support/wire/raw-origin.ts";

const POLICY = "generic:\n  inspect: [inspected.example]\n  default: deny\n";

const modeOf = async (daemon: Daemon) => (await daemon.control.call("mode_get", {})).proxy_mode;

async function tagsOf(daemon: Daemon): Promise<string[]> {
  const tags: string[] = [];
  for await (const row of daemon.control.stream("events", { follow: false }))
    if ("tag" in row) tags.push(row.tag);
  return tags;
}

const controlled = (daemon: Daemon, command: string) =>
  daemon.rowsWhen((rows) => rows.some(({ fields }) => fields.command === command));

describe("an observe session", () => {
  for (const before of ["enforce", "passthrough"] satisfies Mode[])
    test(`ends by itself and brings ${before} back`, async () => {
      await using daemon = await startDaemon({ policy: POLICY });
      await daemon.control.call("mode_set", { proxy_mode: before });
      const report = await daemon.control.call("observe_start", { duration_ms: 1_000 });
      expect(report).toMatchObject({ active: true, proxy_mode: "observe", previous_mode: before });
      await eventually(
        () => modeOf(daemon),
        (mode) => mode === before,
      );
      expect(await daemon.control.call("observe_status", {})).toEqual({
        active: false,
        proxy_mode: before,
        last: { started_ms: report.started_ms ?? 0, ended_ms: report.ends_ms ?? 0 },
      });
      expect((await tagsOf(daemon)).slice(-4)).toEqual([
        "observe_started",
        "proxy_mode_changed",
        "proxy_mode_changed",
        "observe_ended",
      ]);
      const rows = await controlled(daemon, "observe stop");
      expect(rows.at(-1)?.fields).toMatchObject({ reason: "it expired", proxy_mode: before });
    });

  test("is ended by command, which brings the mode back too", async () => {
    await using daemon = await startDaemon({ policy: POLICY });
    await daemon.control.call("observe_start", { duration_ms: 60_000 });
    expect(await daemon.control.call("observe_stop", {})).toMatchObject({
      active: false,
      proxy_mode: "enforce",
    });
    const rows = await controlled(daemon, "observe stop");
    expect(rows.at(-1)?.fields.caller_uid).toBe(process.getuid?.());
    await expect(daemon.control.call("observe_stop", {})).rejects.toThrow("no observe session runs");
  });

  test("is ended by another choice of mode, which stays", async () => {
    await using daemon = await startDaemon({ policy: POLICY });
    await daemon.control.call("observe_start", { duration_ms: 60_000 });
    await daemon.control.call("mode_set", { proxy_mode: "off" });
    expect(await daemon.control.call("observe_status", {})).toMatchObject({
      active: false,
      proxy_mode: "off",
    });
    const rows = await controlled(daemon, "observe stop");
    expect(rows.find(({ fields }) => fields.command === "observe stop")?.fields.reason).toBe(
      "another proxy mode was chosen",
    );
  });

  test("does not start twice, and not for nothing or for ever", async () => {
    await using daemon = await startDaemon({ policy: POLICY });
    for (const duration_ms of [0, 999, -1, 8 * 86_400_000, Number.NaN])
      await expect(daemon.control.call("observe_start", { duration_ms })).rejects.toThrow(
        /1s to 7d|not a number/,
      );
    await daemon.control.call("observe_start", { duration_ms: 60_000 });
    await expect(daemon.control.call("observe_start", { duration_ms: 60_000 })).rejects.toThrow(
      "runs already",
    );
  });

  for (const [what, wait, after] of [
    ["goes on after a restart, and the mode from before comes back at its end", false, "passthrough"],
    ["whose time ran out while no daemon ran is over at the next start", true, "passthrough"],
  ] as const)
    test(what, async () => {
      await using daemon = await startDaemon({ policy: POLICY });
      await daemon.control.call("mode_set", { proxy_mode: "passthrough" });
      const { ends_ms = 0 } = await daemon.control.call("observe_start", { duration_ms: 1_500 });
      await daemon.gateway.stop();
      if (wait) await Bun.sleep(Math.max(0, ends_ms - Date.now()));
      const again = await startGateway({ env: { IDDIO_HOME: daemon.home }, version: "vtest" });
      if (!wait) {
        expect(await modeOf(daemon)).toBe("observe");
        expect((await daemon.control.call("observe_status", {})).ends_ms).toBe(ends_ms);
      }
      await eventually(
        () => modeOf(daemon),
        (mode) => mode === after,
      );
      await again.stop();
      const last = await startGateway({ env: { IDDIO_HOME: daemon.home }, version: "vtest" });
      expect(await modeOf(daemon)).toBe("enforce");
      await last.stop();
    });
});

test("clearing empties the observe log between rows, and removes its rotated copies", async () => {
  await using origin = await startRawOrigin();
  const policy = `generic:\n  inspect: ["localhost:${origin.port}"]\n  default: deny\n`;
  await using daemon = await startDaemon({ trust: [origin], policy, settings: "default_mode: observe\n" });
  const log = join(daemon.home, "observe.jsonl");
  await writeFile(`${log}.1`, "old\n");
  const request = `GET /x HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`;
  using client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
  client.send(request);
  await client.until("200 OK");
  const lines = async () => (await readFile(log, "utf8")).split("\n").filter((line) => line !== "");
  await eventually(lines, (all) => all.length === 1);
  await daemon.control.call("observe_clear", {});
  expect(await lines()).toEqual([]);
  expect(await Bun.file(`${log}.1`).exists()).toBe(false);
  client.send(request);
  const [line = ""] = await eventually(lines, (all) => all.length === 1);
  expect(JSON.parse(line).fields).toMatchObject({ would_be_decision: "deny", host: "localhost" });
  expect(await tagsOf(daemon)).toContain("observe_cleared");
});
