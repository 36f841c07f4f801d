// The detector: what it notes, what it says to anyone who was refused, and the few cases in
// which it lets a host pass unread.

import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import tls from "node:tls";
import { spliceReason } from "../../../src/gateway/front/splice-reason.ts";
import { Detector } from "../../../src/gateway/request/inspection/detector.ts";
import { type Destination, Inspection } from "../../../src/gateway/request/inspection/inspection.ts";
import { ModeHolder } from "../../../src/gateway/request/mode.ts";
import { Events } from "../../../src/gateway/request/records/events.ts";
import { AddressMemory } from "../../../src/gateway/upstream/dial/address-memory.ts";
import { Resolver } from "../../../src/gateway/upstream/dial/resolver.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { statePaths } from "../../../src/state/paths.ts";
import { PolicyStore } from "../../../src/state/policy-store.ts";
import { SettingsStore } from "../../../src/state/settings/settings-store.ts";
import { Pins } from "../../../src/state/tables/pins.ts";
import { Suspects } from "../../../src/state/tables/suspects.ts";
import { Upstreams } from "../../../src/state/tables/upstreams.ts";
import { startDaemon } from "../../support/daemon.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { connectTls, connectTunnel } from "../../support/wire/proxy-client.ts";
import { startRawOrigin } from "../../support/wire/raw-origin.ts";

const POLICY = `
kubectl:
  inspect: ["api.cluster.example"]
generic:
  inspect: ["*"]
`;
const PUBLIC = ["93.184.216.34"];

/** The detector with everything real around it but sockets. */
async function detectorWith(settings: string) {
  const directory = await temporaryDirectory();
  const paths = statePaths({ IDDIO_HOME: directory.path });
  await writeFile(paths.policy, POLICY);
  await writeFile(paths.settings, settings);
  const store = await SettingsStore.open(paths);
  const policy = await PolicyStore.open(paths);
  const database = openDatabase(paths.database);
  const memory = new AddressMemory(new Resolver());
  const inspection = new Inspection({ policy, mode: new ModeHolder("enforce"), memory });
  const upstreams = new Upstreams(database);
  const events = new Events();
  const suspects = new Suspects(database, () => {});
  const detector = new Detector({ suspects, settings: store, inspection, memory, upstreams, events });
  const pins = new Pins(database);
  return {
    detector,
    upstreams,
    memory,
    events,
    pins,
    settingsPath: join(directory.path, "settings.yaml"),
    store,
    reason: (destination: Destination) => spliceReason({ inspection, pins, detector }, destination)?.kind,
    async [Symbol.asyncDispose]() {
      detector.close();
      memory.close();
      policy.close();
      store.close();
      database.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

const at = (host: string, more: Partial<Destination> = {}): Destination => ({
  host,
  port: 443,
  addresses: PUBLIC,
  serverName: host,
  ...more,
});

describe("after its certificate failed, a connection to", () => {
  const rows: [what: string, setting: string, failed: Destination, next: Destination, passes: boolean][] = [
    ["any host is intercepted by default", "off", at("a.example"), at("a.example"), false],
    [
      "a host that only generic matches passes under generic",
      "generic",
      at("a.example"),
      at("a.example"),
      true,
    ],
    [
      "a host of another protocol is intercepted under generic",
      "generic",
      at("api.cluster.example"),
      at("api.cluster.example"),
      false,
    ],
    [
      "a host of any protocol passes under all",
      "all",
      at("api.cluster.example"),
      at("api.cluster.example"),
      true,
    ],
    [
      "the same host at another port is intercepted",
      "all",
      at("a.example"),
      at("a.example", { port: 8443 }),
      false,
    ],
    ["another host is intercepted", "all", at("a.example"), at("b.example"), false],
    [
      "it under another SNI is intercepted",
      "all",
      at("a.example"),
      at("a.example", { serverName: "api.cluster.example" }),
      false,
    ],
    [
      "it without an SNI is intercepted",
      "all",
      at("a.example"),
      at("a.example", { serverName: undefined }),
      false,
    ],
    [
      "it is intercepted when the name has come to mean a private address",
      "all",
      at("a.example"),
      at("a.example", { addresses: ["10.0.0.1"] }),
      false,
    ],
    [
      "it is intercepted when one of its addresses is private",
      "all",
      at("a.example"),
      at("a.example", { addresses: [...PUBLIC, "127.0.0.1"] }),
      false,
    ],
    [
      "a host at a private address is intercepted",
      "all",
      at("a.example", { addresses: ["192.168.1.1"] }),
      at("a.example", { addresses: ["192.168.1.1"] }),
      false,
    ],
    ["a literal address is intercepted", "all", at("93.184.216.34"), at("93.184.216.34"), false],
    [
      "a host that was not resolved is intercepted",
      "all",
      at("a.example", { addresses: [] }),
      at("a.example"),
      false,
    ],
  ];
  for (const [what, setting, failed, next, passes] of rows)
    test(what, async () => {
      await using parts = await detectorWith(`detector: ${setting}\n`);
      parts.detector.upstreamFailed(failed, "self-signed");
      expect(parts.reason(next)).toBe(passes ? "suspected" : undefined);
      expect(parts.detector.list()).toMatchObject([
        { host: failed.host, failed: "upstream", reason: "self-signed" },
      ]);
    });

  test("a host whose CA the operator registered is intercepted, whatever the setting", async () => {
    await using parts = await detectorWith("detector: all\n");
    parts.upstreams.add({ host: "a.example", port: 443, caPem: "x", source: "manual" });
    parts.detector.upstreamFailed(at("a.example"), "self-signed");
    expect(parts.reason(at("a.example"))).toBeUndefined();
  });

  test("a host that points to the address of one that is inspected by name is intercepted", async () => {
    await using parts = await detectorWith("detector: all\n");
    parts.detector.upstreamFailed(at("a.example", { addresses: ["93.184.216.35"] }), "self-signed");
    // The gateway has resolved the cluster's name before.
    parts.reason(at("api.cluster.example"));
    expect(parts.reason(at("a.example"))).toBeUndefined();
    expect(parts.reason(at("a.example", { addresses: ["93.184.216.35"] }))).toBe("suspected");
  });

  test("it is intercepted again when the setting is off, and when it has expired", async () => {
    await using parts = await detectorWith("detector: all\ndetector_ttl: 10m\n");
    const now = Date.now();
    parts.detector.upstreamFailed(at("a.example"), "self-signed", now);
    expect(parts.detector.passing(at("a.example"), ["generic"], now + 599_999)).toBeDefined();
    expect(parts.detector.passing(at("a.example"), ["generic"], now + 600_001)).toBeUndefined();
    await writeFile(parts.settingsPath, "detector: off\n");
    await parts.store.reload();
    expect(parts.reason(at("a.example"))).toBeUndefined();
  });

  test("a client that leaves in the middle of a handshake is listed from its second try on", async () => {
    await using parts = await detectorWith("detector: all\n");
    const now = Date.now();
    const leave = (ms: number) => {
      parts.detector.clientFailed(at("a.example"), "closed", false, now + ms);
      return parts.detector.list().length;
    };
    expect([leave(0), leave(100), leave(11 * 60_000)]).toEqual([0, 0, 0]);
    parts.detector.clientServed(at("a.example"));
    expect([leave(12 * 60_000), leave(12 * 60_000 + 1_000)]).toEqual([0, 1]);
  });

  test("nothing but a note follows from a client that refuses the leaf", async () => {
    await using parts = await detectorWith("detector: all\n");
    parts.detector.clientFailed(at("a.example"), "unknown ca");
    expect(parts.reason(at("a.example"))).toBeUndefined();
    expect(parts.detector.list()).toMatchObject([{ host: "a.example", failed: "client", pinnedUntilMs: 0 }]);
    expect(parts.events.recent().map(({ tag }) => tag)).toEqual(["host_suspected"]);
  });
});

describe("a daemon whose upstream shows an untrusted certificate", () => {
  const policy = (port: number) => `generic:
  inspect: ["localhost:${port}"]
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`;
  const get = (port: number) => `GET /x HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`;

  test("refuses with the reason and what to type, writes a block row, and lists the host", async () => {
    await using origin = await startRawOrigin();
    await using daemon = await startDaemon({ policy: policy(origin.port), settings: "detector: all\n" });
    const where = `localhost:${origin.port}`;
    using client = await connectTls(daemon.port, where, { ca: daemon.caPem, serverName: "localhost" });
    client.send(get(origin.port));
    const reply = await client.until("\r\n\r\n{");
    expect(reply).toContain("502");
    const text = await client.until("promote");
    expect(text).toContain(`iddio detector promote ${where}`);
    const rows = await daemon.rowsWhen((all) => all.some((row) => row.op === "block"));
    expect(rows.at(-1)?.fields).toMatchObject({ host: "localhost", outcome: "blocked", status: 502 });
    const { suspects, setting } = await daemon.control.call("detector_list", {});
    expect(setting).toBe("all");
    // Its address is not public: whatever the setting, it is only suspected.
    expect(suspects).toMatchObject([
      { host: "localhost", port: origin.port, failed: "upstream", state: "suspected" },
    ]);
    expect(origin.text).toBe("");
  });

  test("splices it once a person has promoted the finding, and forgets findings on demand", async () => {
    await using origin = await startRawOrigin();
    await using daemon = await startDaemon({ policy: policy(origin.port) });
    const where = `localhost:${origin.port}`;
    const ca = `${daemon.caPem}\n${origin.caPem}`;
    using client = await connectTls(daemon.port, where, { ca });
    client.send(get(origin.port));
    await client.until("502");
    const { pins } = await daemon.control.call("detector_promote", { host: "localhost" });
    expect(pins).toMatchObject([{ host: "localhost", port: origin.port, source: "detector" }]);
    using next = await connectTls(daemon.port, where, { ca });
    next.send(get(origin.port));
    await next.until("200 OK");
    expect((await daemon.control.call("detector_list", {})).suspects).toEqual([]);
    await expect(daemon.control.call("detector_promote", { host: "localhost" })).rejects.toThrow(
      "has not found",
    );

    await expect(connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem })).rejects.toThrow();
    expect(await daemon.control.call("detector_clear", {})).toEqual({ cleared: 0 });
    const rows = await daemon.rowsWhen((all) =>
      all.some(({ fields }) => fields.command === "detector clear"),
    );
    expect(rows.map(({ fields }) => fields.command)).toContain("detector promote");
  });

  test("notes a client that does not trust its leaf", async () => {
    await using origin = await startRawOrigin();
    await using daemon = await startDaemon({ trust: [origin], policy: policy(origin.port) });
    const { suspects } = await eventually(
      async () => {
        const { client } = await connectTunnel(daemon.port, `localhost:${origin.port}`);
        client.socket.removeAllListeners("data");
        const socket = tls.connect({ socket: client.socket, ca: [origin.caPem] });
        await new Promise((resolve) => socket.once("error", resolve));
        client.socket.destroy();
        return daemon.control.call("detector_list", {});
      },
      (list) => list.suspects.length > 0,
    );
    expect(suspects).toMatchObject([{ host: "localhost", failed: "client", state: "suspected" }]);
    expect(await daemon.control.call("detector_clear", {})).toEqual({ cleared: 1 });
  });
});
