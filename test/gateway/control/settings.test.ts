// Settings while the daemon runs: by command and by editing the file, and the one that moves
// the proxy to another address.

import { describe, expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { eventually } from "../../support/eventually.ts";
import { connectTls, connectTunnel } from "../../support/wire/proxy-client.ts";
import { startRawOrigin } from "../../support/wire/raw-origin.ts";

const POLICY = "generic:\n  inspect: [inspected.example]\n";

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const settingsFile = (daemon: Daemon) => readFile(join(daemon.home, "settings.yaml"), "utf8");
const listenOf = async (daemon: Daemon) => (await daemon.control.call("status", {})).proxy_listen;
const set = (daemon: Daemon, name: string, value: string) =>
  daemon.control.call("settings_set", { name, value });

describe("settings set", () => {
  test("changes the file, keeps its comments, and is in force at once", async () => {
    await using daemon = await startDaemon({
      policy: POLICY,
      settings: "# mine\napproval_timeout: 10s # short\n",
    });
    const change = await set(daemon, "approval_timeout", "2m");
    expect(change).toMatchObject({ name: "approval_timeout", value: "2m", previous: "10s" });
    expect(await settingsFile(daemon)).toContain("# mine\napproval_timeout: 2m # short\n");
    const { settings } = await daemon.control.call("settings_get", {});
    expect(settings.approval_timeout).toBe("2m");
    const rows = await daemon.rowsWhen((all) => all.some(({ fields }) => fields.command === "settings set"));
    expect(rows.at(-1)?.fields).toMatchObject({
      name: "approval_timeout",
      value: "2m",
      caller_pid: process.pid,
    });
  });

  const wrong: [name: string, value: string, message: RegExp][] = [
    [
      "approval_timeout",
      "soon",
      /must be a duration such as 30s, 5m or 1h30m, at most 24 days .24d., not 'soon'/,
    ],
    ["log_level", "loud", /one of debug, info, warn, error/],
    ["default_mode", "on", /one of off, passthrough, observe, enforce/],
    ["detector", "some", /one of off, generic, all/],
    ["proxy_listen", "9443", /an address and port such as 127.0.0.1:9443/],
    ["classify_body_limit", "1GiB", /a size such as 1MiB/],
    ["audit_failure", "", /one of closed, open/],
    ["nothing", "1", /unknown setting 'nothing' \(known: proxy_listen, /],
  ];
  for (const [name, value, message] of wrong)
    test(`refuses ${name}=${value}, naming what it takes, and writes nothing`, async () => {
      await using daemon = await startDaemon({ policy: POLICY });
      const before = await settingsFile(daemon);
      await expect(set(daemon, name, value)).rejects.toThrow(message);
      expect(await settingsFile(daemon)).toBe(before);
    });

  test("masks the password of a proxy wherever it is told", async () => {
    await using daemon = await startDaemon({ policy: POLICY });
    const change = await set(daemon, "upstream_proxy", "http://me:hunter2@proxy.corp:3128");
    const { settings } = await daemon.control.call("settings_get", {});
    expect(settings.upstream_proxy).toBe("http://***@proxy.corp:3128");
    const rows = await daemon.rowsWhen((all) => all.some(({ fields }) => fields.command === "settings set"));
    expect(JSON.stringify([change, rows])).not.toContain("hunter2");
    expect(await settingsFile(daemon)).toContain("hunter2");
  });
});

describe("a changed proxy_listen", () => {
  test("moves the listener and drops nothing that runs", async () => {
    await using origin = await startRawOrigin();
    const policy = `generic:\n  inspect: ["localhost:${origin.port}"]\n  default: escalate\n`;
    await using daemon = await startDaemon({ trust: [origin], policy });
    using held = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
    held.send(`POST /x HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: 0\r\n\r\n`);
    const [approval] = await daemon.pending();
    const { client: spliced } = await connectTunnel(daemon.port, `127.0.0.1:${origin.port}`);

    const port = await freePort();
    const change = await set(daemon, "proxy_listen", `127.0.0.1:${port}`);
    expect(change.note).toContain("shell-init");
    expect(await listenOf(daemon)).toBe(`127.0.0.1:${port}`);
    expect(daemon.gateway.listen).toBe(`127.0.0.1:${port}`);
    using next = await connectTls(port, `localhost:${origin.port}`, { ca: daemon.caPem });
    next.send(`GET /x HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`);
    await expect(connectTunnel(daemon.port, "localhost:1")).rejects.toThrow();

    await daemon.control.call("approvals_allow", { id: approval?.id ?? "" });
    await held.until("200 OK");
    expect(spliced.isClosed).toBe(false);
    spliced.socket.destroy();
  });

  test("in the file is followed within a second", async () => {
    await using daemon = await startDaemon({ policy: POLICY });
    const port = await freePort();
    await writeFile(
      join(daemon.home, "settings.yaml"),
      `proxy_listen: 127.0.0.1:${port}\napproval_guard: off\n`,
    );
    await eventually(
      () => listenOf(daemon),
      (listen) => listen === `127.0.0.1:${port}`,
    );
    const answer = await connectTunnel(port, `127.0.0.1:${port}`);
    expect(answer.answer).toContain("403");
    answer.client.socket.destroy();
  });

  test("to an address that is taken changes nothing, neither listener nor file", async () => {
    await using daemon = await startDaemon({ policy: POLICY });
    const server = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    const before = await settingsFile(daemon);
    await expect(set(daemon, "proxy_listen", `127.0.0.1:${port}`)).rejects.toThrow("already in use");
    expect(await settingsFile(daemon)).toBe(before);
    expect(await listenOf(daemon)).toBe(`127.0.0.1:${daemon.port}`);

    // By hand in the file: the daemon stays where it is, says so, and tries again when told.
    await writeFile(
      join(daemon.home, "settings.yaml"),
      `proxy_listen: 127.0.0.1:${port}\napproval_guard: off\n`,
    );
    await eventually(
      async () => {
        const tags: string[] = [];
        for await (const row of daemon.control.stream("events", { follow: false }))
          if ("tag" in row) tags.push(row.tag);
        return tags;
      },
      (tags) => tags.includes("settings_reload_failed"),
    );
    expect(await listenOf(daemon)).toBe(`127.0.0.1:${daemon.port}`);
    await expect(daemon.control.call("settings_reload", {})).rejects.toThrow("already in use");
    await new Promise((resolve) => server.close(resolve));
    const reload = await daemon.control.call("settings_reload", {});
    expect(reload).toEqual({ proxy_listen: `127.0.0.1:${port}`, changed: false });
  });

  test("that only spells the same port differently works, and one that cannot be had gives it back", async () => {
    const port = await freePort();
    await using daemon = await startDaemon({ policy: POLICY });
    await set(daemon, "proxy_listen", `127.0.0.1:${port}`);
    await set(daemon, "proxy_listen", `localhost:${port}`);
    expect(await listenOf(daemon)).toBe(`localhost:${port}`);
    await set(daemon, "proxy_listen", `127.0.0.1:${port}`);
    // TEST-NET-1 is nobody's address.
    await expect(set(daemon, "proxy_listen", `192.0.2.1:${port}`)).rejects.toThrow(
      "cannot listen on 192.0.2.1",
    );
    const { client } = await connectTunnel(port, `127.0.0.1:${port}`);
    client.socket.destroy();
  });
});

test("a settings file that does not load changes nothing and is told", async () => {
  await using daemon = await startDaemon({ policy: POLICY, settings: "approval_timeout: 10s\n" });
  await writeFile(join(daemon.home, "settings.yaml"), "approval_timeout: soon\n");
  await expect(daemon.control.call("settings_reload", {})).rejects.toThrow("'approval_timeout' must be");
  await expect(set(daemon, "log_level", "debug")).rejects.toThrow("'approval_timeout' must be");
  const { settings } = await daemon.control.call("settings_get", {});
  expect(settings.approval_timeout).toBe("10s");
  expect(await listenOf(daemon)).toBe(`127.0.0.1:${daemon.port}`);
});
