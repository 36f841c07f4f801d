// Desktop notifications of held requests, shown by a stand-in for notify-send that writes
// down its arguments.

import { describe, expect, test } from "bun:test";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HoldNotifications } from "../../../src/features/notify/hold-notifications.ts";
import type { Broker } from "../../../src/gateway/request/broker.ts";
import { Events } from "../../../src/gateway/request/records/events.ts";
import { escapeMarkup, findDesktop } from "../../../src/host/process/desktop-notification.ts";
import { Log } from "../../../src/state/log/log.ts";
import { builtBinary } from "../../support/built-binary.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { connectTls } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";

const POLICY = (port: number) => `generic:\n  inspect: ["localhost:${port}"]\n  default: escalate\n`;

/** A desktop whose notify-send appends its arguments to a file, one a line, a blank line after each call. */
async function desktop(script = 'printf "%s\\n" "$@" "" >> "$SHOWN"') {
  const directory = await temporaryDirectory();
  const bin = join(directory.path, "bin");
  await mkdir(bin);
  const program = join(bin, "notify-send");
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  const log = join(directory.path, "shown");
  return {
    env: {
      PATH: "/usr/bin:/bin",
      IDDIO_TEST_TOOLS: bin,
      DBUS_SESSION_BUS_ADDRESS: "unix:path=/nowhere",
      SHOWN: log,
    },
    shown: async () =>
      (await readFile(log, "utf8").catch(() => "")).split("\n\n").filter((call) => call !== ""),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

async function hold(daemon: Daemon, origin: RawOrigin, path = "/x") {
  const client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
  client.send(`DELETE ${path} HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: 0\r\n\r\n`);
  return client;
}

const isLinux = process.platform === "linux";

describe("a held request", () => {
  test("is shown once, with what points to it, as text and not as markup or options", async () => {
    if (!isLinux) return;
    await using screen = await desktop();
    await using origin = await startRawOrigin();
    await using daemon = await startDaemon({ trust: [origin], policy: POLICY(origin.port), env: screen.env });
    using _ = await hold(daemon, origin, "/--icon=<b>%E2%80%AE&'\"$(id)");
    const [approval] = await daemon.pending();
    const [call = ""] = await eventually(screen.shown, (calls) => calls.length > 0);
    const lines = call.split("\n");
    const end = lines.indexOf("--");
    expect(lines.slice(0, end).every((line) => line.startsWith("--"))).toBe(true);
    expect(lines[end + 1]).toBe("iddio: sensitive request waits");
    expect(call).toContain("/--icon=&lt;b&gt;%E2%80%AE&amp;'\"$(id)");
    expect(call).toContain(`iddio approval show ${approval?.id}`);
    expect(call).toContain("asked by bun");
  });

  test("of many is shown together with them", async () => {
    if (!isLinux) return;
    await using screen = await desktop();
    await using origin = await startRawOrigin();
    await using daemon = await startDaemon({ trust: [origin], policy: POLICY(origin.port), env: screen.env });
    const clients = await Promise.all(Array.from({ length: 12 }, (_, i) => hold(daemon, origin, `/${i}`)));
    const [call = ""] = await eventually(screen.shown, (calls) => calls.length > 0);
    expect(call).toMatch(/iddio: \d+ requests wait/);
    expect(call).toMatch(/and \d+ more/);
    expect((await screen.shown()).length).toBe(1);
    for (const client of clients) client[Symbol.dispose]();
  });

  for (const [what, settings, script] of [
    ["is not shown when the setting is off", "notifications: off\n", undefined],
    ["waits for no desktop that hangs", "", "exec sleep 60"],
    ["waits for no desktop that fails", "", "exit 1"],
  ] as const)
    test(what, async () => {
      if (!isLinux) return;
      await using screen = await desktop(script);
      await using origin = await startRawOrigin();
      await using daemon = await startDaemon({
        trust: [origin],
        policy: POLICY(origin.port),
        settings,
        env: screen.env,
      });
      using client = await hold(daemon, origin);
      const [approval] = await daemon.pending();
      await daemon.control.call("approvals_allow", { id: approval?.id ?? "" });
      await client.until("200 OK");
      // Longer than a notification takes to be sent.
      await Bun.sleep(300);
      expect(await screen.shown()).toEqual([]);
    });
});

test("there is a desktop only where a session bus and a program are", async () => {
  if (!isLinux) return;
  await using screen = await desktop();
  expect(findDesktop(screen.env)?.program).toEndWith("notify-send");
  const { DBUS_SESSION_BUS_ADDRESS: _, ...noBus } = screen.env;
  expect(findDesktop({ ...noBus, XDG_RUNTIME_DIR: "/nowhere" })).toBeUndefined();
  // A look-alike on PATH is none of the system's.
  const { IDDIO_TEST_TOOLS: folder, ...rest } = screen.env;
  expect(findDesktop({ ...rest, PATH: folder })?.program ?? "/usr/bin").toStartWith("/usr/bin");
});

test("markup is text", () => expect(escapeMarkup("<b>&amp;</b>")).toBe("&lt;b&gt;&amp;amp;&lt;/b&gt;"));

test("settings set says when there is nothing to show notifications", async () => {
  await using daemon = await startDaemon({
    policy: POLICY(1),
    env: { PATH: "/nowhere", XDG_RUNTIME_DIR: "/nowhere" },
  });
  await daemon.control.call("settings_set", { name: "notifications", value: "off" });
  const change = await daemon.control.call("settings_set", { name: "notifications", value: "on" });
  expect(change.note).toContain("no desktop");
});

test("doctor --notify sends one, and says so where there is nothing to send it by", async () => {
  if (!isLinux) return;
  await using screen = await desktop();
  await using home = await temporaryDirectory();
  const run = async (env: Record<string, string>) => {
    const all = { ...env, HOME: home.path, IDDIO_HOME: home.path };
    const child = Bun.spawn([builtBinary(), "doctor", "--notify"], {
      env: all,
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return { stdout, stderr, code: await child.exited };
  };
  expect(await run(screen.env)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("one notification was sent"),
  });
  expect(await screen.shown()).toHaveLength(1);
  const { DBUS_SESSION_BUS_ADDRESS: _, ...noBus } = screen.env;
  const without = await run({ ...noBus, XDG_RUNTIME_DIR: "/nowhere" });
  expect(without).toMatchObject({ code: 1, stderr: expect.stringContaining("no desktop session") });
}, 120_000);

for (const [setting, expected] of [
  ["on", "notification"],
  ["alert", "window"],
] as const)
  test(`the setting '${setting}' is a ${expected}, where the desktop has both`, async () => {
    const shown: string[] = [];
    const show = (what: string) => async () => {
      shown.push(what);
      return true;
    };
    const events = new Events();
    const operation = { protocol: "generic", tier: "sensitive", command: "DELETE", labels: {} };
    const ask = {
      operation,
      target: { name: "a.example", port: 443 },
      subject: {},
      fields: {},
      evidence: [],
    };
    const broker = { list: () => [{ id: "appr_1", ask }] } as unknown as Broker;
    await using directory = await temporaryDirectory();
    const log = new Log(join(directory.path, "iddio.log"), {});
    const desktop = { program: "osascript", show: show("notification"), alert: show("window") };
    const notifications = new HoldNotifications({ events, broker, log, desktop, setting: () => setting });
    events.publish("approval_requested", { id: "appr_1" });
    await eventually(
      async () => shown,
      (all) => all.length > 0,
    );
    expect(shown).toEqual([expected]);
    notifications.close();
    log.close();
  });
