// A machine in a fleet: the central policy is only ever added to the local one; what is not signed,
// older, cut or for another machine changes nothing; without the server the last policy decides and
// everything is caught up later; only a signed decision about exactly this wait lets through what
// only the control plane may allow.

import { expect, test } from "bun:test";
import { join } from "node:path";
import type { FleetReport } from "../../../src/api/methods/fleet.ts";
import type { Entry } from "../../../src/model/entry.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { type FleetWorld, policyOf, startFleetWorld } from "./fleet-world.ts";
import { type FleetStandIn, startFleetServer } from "./stand-in.ts";

const LONG_MS = 120_000;

const startWorld = (server: FleetStandIn | undefined, options: Parameters<typeof startFleetWorld>[1] = {}) =>
  startFleetWorld(server?.enrolment, options);

const reportWhen = ({ reportWhen: when }: FleetWorld, fits: (report: FleetReport) => boolean) => when(fits);

const revisionOf = ({ policy }: FleetReport) => policy?.revision;

test.concurrent(
  "the stricter of both policies decides, for every pair of actions",
  async () => {
    for (const local of ["allow", "deny"]) {
      await using server = startFleetServer();
      await using world = await startWorld(server, { local });
      const { port } = world.origin;
      expect(await world.status("POST")).toBe(local === "allow" ? 200 : 403);
      for (const [revision, central] of (["allow", "deny", "allow"] as const).entries()) {
        server.offer({ policy: policyOf(port, central) });
        await reportWhen(world, (report) => revisionOf(report) === revision + 1);
        const isAllowed = local === "allow" && central === "allow";
        expect(await world.status("POST"), `${local} and ${central}`).toBe(isAllowed ? 200 : 403);
      }
    }
  },
  LONG_MS,
);

test.concurrent(
  "neither a pin, nor the mode, nor a more specific entry takes a host away from the central policy",
  async () => {
    await using server = startFleetServer();
    await using world = await startWorld(server, { block: "github" });
    const { port } = world.origin;
    const { control } = world.daemon;
    server.offer({ policy: `generic:\n  inspect: ["*"]\n  default: deny\ngithub:\n  default: allow\n` });
    await reportWhen(world, (report) => revisionOf(report) === 1);
    expect(await world.status("POST")).toBe(403);
    await control.call("pins_add", { host: "localhost", port });
    expect(await world.status("POST")).toBe(403);
    await expect(control.call("mode_set", { proxy_mode: "passthrough" })).rejects.toThrow(
      "the mode stays 'enforce'",
    );
    await expect(control.call("observe_start", { duration_ms: 60_000 })).rejects.toThrow("the mode stays");
    expect(world.origin.text).toBe("");
  },
  LONG_MS,
);

test.concurrent(
  "a bundle that is forged, older, altered, cut, expired or for another tenant is refused, and the last good one stays",
  async () => {
    await using server = startFleetServer({ syncMs: 1_000 });
    await using world = await startWorld(server);
    const { port } = world.origin;
    const [deny, allow] = [policyOf(port, "deny"), policyOf(port, "allow")];
    server.offer({ policy: deny, revision: 5 });
    await reportWhen(world, (report) => revisionOf(report) === 5);
    const wrong = [
      { spec: { policy: allow, revision: 6, isForged: true }, says: "signature is wrong" },
      { spec: { policy: allow, revision: 6, tenant: "t_other" }, says: "another tenant" },
      { spec: { policy: allow, revision: 6, digest: "0".repeat(64) }, says: "another digest" },
      { spec: { policy: allow, revision: 6, expires_ms: Date.now() - 1 }, says: "has expired" },
      { spec: { policy: "generic: [", revision: 6 }, says: "does not load" },
      { spec: { policy: allow, revision: 6, kind: "dry" as const }, says: "not enforced" },
    ];
    for (const { spec, says } of wrong) {
      server.offer(spec);
      await reportWhen(world, (report) => String(report.refused).includes(says));
      expect(await world.status("POST"), says).toBe(403);
    }
    // An older one under a position that looks newer, and a text that is cut off.
    server.offer({ policy: allow, revision: 4 });
    const cut = server.misbehave;
    server.misbehave = (call) =>
      call === "policy"
        ? new Response('{"device":"active","server_time_ms":1,"bundle":{"kind":"bun')
        : undefined;
    server.offer({ policy: allow, revision: 7 });
    await reportWhen(world, ({ problem }) => String(problem).includes("breaks the contract"));
    server.misbehave = cut;
    expect(await world.status("POST")).toBe(403);
    expect(revisionOf(await reportWhen(world, () => true))).toBe(5);
    server.offer({ policy: allow, revision: 8 });
    await reportWhen(world, (report) => revisionOf(report) === 8);
    expect(await world.status("POST")).toBe(200);
  },
  LONG_MS,
);

test.concurrent(
  "a replayed bundle is refused after a restart and after enrolling again",
  async () => {
    await using server = startFleetServer({ syncMs: 1_000 });
    await using folder = await temporaryDirectory();
    {
      await using world = await startWorld(server, { home: folder.path });
      server.offer({ policy: policyOf(world.origin.port, "deny"), revision: 9 });
      await reportWhen(world, (report) => revisionOf(report) === 9);
      expect(await world.status("POST")).toBe(403);
    }
    server.misbehave = () => new Response("", { status: 503 });
    await using world = await startWorld(server, { home: folder.path });
    // The server is not there, and the last good policy is.
    await expect(world.daemon.control.call("mode_set", { proxy_mode: "off" })).rejects.toThrow(
      "stays 'enforce'",
    );
    server.offer({ policy: policyOf(world.origin.port, "allow"), revision: 8 });
    server.misbehave = undefined;
    await world.daemon.control.call("fleet_sync", {});
    expect(revisionOf(await reportWhen(world, () => true))).toBe(9);
  },
  LONG_MS,
);

test.concurrent(
  "an ask of a central tier waits for the control plane: here it can only be denied, there it is decided once",
  async () => {
    await using server = startFleetServer();
    await using world = await startWorld(server, { local: "escalate" });
    const { control } = world.daemon;
    server.offer({ policy: policyOf(world.origin.port, "escalate"), central_tiers: ["modify"] });
    await reportWhen(world, (report) => revisionOf(report) === 1);
    using first = await world.send("POST", "/one");
    const one = await server.heldWhen();
    expect(one).toMatchObject({ tier: "modify", protocol: "generic", is_central: true });
    expect(one.evidence[0]?.text).toContain("POST /one");
    await expect(control.call("approvals_allow", { id: one.id })).rejects.toThrow(
      "only be allowed by the control plane",
    );
    await expect(control.call("approvals_allow", { id: one.id, for_ms: 60_000 })).rejects.toThrow(
      "only the control plane",
    );
    // Forged, for another device, another wait, another request, out of time, by the owner; then the good one, twice.
    server.decide(
      server.decision(one, {}, true),
      server.decision(one, { device: "d_0002" }),
      server.decision(one, { nonce: "0".repeat(32) }),
      server.decision(one, { digest: "0".repeat(64) }),
      server.decision(one, { expires_ms: Date.now() - 1 }),
      server.decision(one, { by_id: "p_owner" }),
    );
    await eventually(
      () => Bun.file(join(world.daemon.home, "iddio.log")).text(),
      (text) => text.split("counts for nothing").length === 7,
      LONG_MS,
    );
    expect(world.origin.text).toBe("");
    const good = server.decision(one, { reason: "looks right" });
    server.decide(good, good);
    expect(await first.until("ok")).toMatch(/^HTTP\/1\.1 200/);
    await eventually(
      async () => server.ended,
      (all) => all.some(({ id, outcome }) => id === one.id && outcome === "approved"),
      LONG_MS,
    );
    const rows = await world.daemon.rowsWhen((all) => all.some(isCentralAllow));
    expect(rows.filter(isCentralAllow)).toHaveLength(1);
    expect(rows.find(isCentralAllow)?.fields).toMatchObject({
      caller_name: "Ada",
      factor: "central",
      level: "L4",
    });
    // The same decision again is about a wait that is over.
    using second = await world.send("POST", "/one");
    const two = await server.heldWhen(({ id }) => id !== one.id);
    server.decide(good);
    await control.call("approvals_deny", { id: two.id, reason: "no" });
    expect(await second.until("outcome")).toMatch(/^HTTP\/1\.1 403/);
    expect(world.origin.text.match(/POST \/one/g)).toHaveLength(1);
  },
  LONG_MS,
);

const isCentralAllow = ({ fields }: Entry) =>
  fields.principal === "control-plane" && fields.command === "approval allow";

test.concurrent(
  "without the server central asks time out to a refusal, others are answered here, and everything is caught up later",
  async () => {
    await using server = startFleetServer({ syncMs: 1_000 });
    await using world = await startWorld(server, { local: "escalate", settings: "" });
    const { control } = world.daemon;
    server.offer({ policy: policyOf(world.origin.port, "escalate"), central_tiers: ["sensitive"] });
    await reportWhen(world, (report) => revisionOf(report) === 1);
    server.misbehave = () => new Response("", { status: 503 });
    await reportWhen(world, ({ problem }) => problem !== undefined);
    await control.call("settings_set", { name: "approval_timeout", value: "1s" });
    expect(await world.status("DELETE")).toBe(403);
    await control.call("settings_set", { name: "approval_timeout", value: "10m" });
    using client = await world.send("POST", "/local");
    const [approval] = await world.daemon.pending();
    await control.call("approvals_allow", { id: approval?.id ?? "" });
    expect(await client.until("ok")).toMatch(/^HTTP\/1\.1 200/);
    using waiting = await world.send("DELETE", "/waits");
    await world.daemon.pending();
    server.misbehave = undefined;
    const held = await server.heldWhen();
    server.decide(server.decision(held));
    expect(await waiting.until("ok")).toMatch(/^HTTP\/1\.1 200/);
    await control.call("fleet_sync", {});
    const written = (await Bun.file(join(world.daemon.home, "audit.jsonl")).text())
      .split("\n")
      .filter(Boolean);
    await eventually(
      async () => server.rows.length,
      (count) => count >= written.length,
      LONG_MS,
    );
    expect(server.rows.slice(0, written.length)).toEqual(written);
  },
  LONG_MS,
);

test.concurrent(
  "rows arrive once and in order over lost answers, a server that was put back, and one with rows that are not ours",
  async () => {
    await using server = startFleetServer({ syncMs: 60_000 });
    await using world = await startWorld(server);
    const { control } = world.daemon;
    const sync = () => control.call("fleet_sync", {});
    await sync();
    for (let each = 0; each < 5; each += 1) await control.call("pins_add", { host: `a${each}.example.com` });
    // A sync that the server refuses, as a request that the runtime sent twice, is for the next to make good.
    const arrived = async () => {
      await sync();
      return server.rows.length;
    };
    const before = await eventually(arrived, (count) => count > 4, LONG_MS);
    // It loses what came last, says so, and gets it again.
    server.forgetRows(before - 2);
    await control.call("pins_add", { host: "b.example.com" });
    await world.daemon.rowsWhen((rows) => rows.some(({ fields }) => fields.host === "b.example.com"));
    await sync();
    const written = (await Bun.file(join(world.daemon.home, "audit.jsonl")).text())
      .split("\n")
      .filter(Boolean);
    await eventually(
      async () => new Set(server.rows).size,
      (count) => count >= written.length,
      LONG_MS,
    );
    for (const line of written) expect(server.rows).toContain(line);
  },
  LONG_MS,
);

test.concurrent(
  "a policy that is too old lets nothing above observe through without a person",
  async () => {
    await using server = startFleetServer({ syncMs: 1_000 });
    await using world = await startWorld(server, { settings: "" });
    server.offer({ policy: policyOf(world.origin.port, "allow"), max_age_ms: 1_500 });
    await reportWhen(world, (report) => revisionOf(report) === 1);
    expect(await world.status("POST")).toBe(200);
    server.misbehave = () => new Response("", { status: 503 });
    await reportWhen(world, ({ is_stale }) => is_stale === true);
    expect(await world.status("GET")).toBe(200);
    using client = await world.send("POST", "/late");
    const [approval] = await world.daemon.pending();
    expect(approval?.rule).toStartWith("central:");
    server.misbehave = undefined;
    await reportWhen(world, ({ is_stale }) => is_stale === false);
    await world.daemon.control.call("approvals_deny", { id: approval?.id ?? "" });
    await client.until("outcome");
  },
  LONG_MS,
);

test.concurrent(
  "a machine that was revoked keeps its last policy, and a hostile server costs only retries",
  async () => {
    await using server = startFleetServer({ syncMs: 1_000 });
    await using world = await startWorld(server);
    server.offer({ policy: policyOf(world.origin.port, "deny") });
    await reportWhen(world, (report) => revisionOf(report) === 1);
    const hostile: readonly (() => Response)[] = [
      () => new Response("x".repeat(12 * 1024 * 1024)),
      () => new Response("{".repeat(100_000)),
      () => Response.json({ device: "active" }),
      () => Response.json({ device: "nobody", server_time_ms: "now" }),
      () => new Response("", { status: 302, headers: { location: "http://169.254.169.254/" } }),
      () => Response.json({ title: "x", status: 409, code: "gap", acked_seq: -5 }, { status: 409 }),
    ];
    for (const each of hostile) {
      server.misbehave = each;
      const before = server.calls.length;
      await world.daemon.control.call("fleet_sync", {});
      // A sync that was under way already is not begun again: the next one calls.
      await eventually(
        async () => server.calls.length,
        (count) => count > before,
      );
      expect(await world.status("POST")).toBe(403);
    }
    server.misbehave = undefined;
    server.device = "revoked";
    await world.daemon.control.call("fleet_sync", {});
    await reportWhen(world, ({ state }) => state === "revoked");
    expect(await world.status("POST")).toBe(403);
  },
  LONG_MS,
);

test.concurrent(
  "enrolling takes a token once, pins what the server says, and leaving takes the policy out of force",
  async () => {
    // The first enrolment is root's or a factor's; tests run as root in CI.
    if (process.getuid?.() !== 0) return;
    await using server = startFleetServer();
    await using world = await startWorld(undefined);
    const { control } = world.daemon;
    await expect(control.call("fleet_sync", {})).rejects.toThrow("belongs to no fleet");
    const enroll = (url: string, token: string) => control.call("fleet_enroll", { url, token });
    await expect(enroll("http://example.com", server.token)).rejects.toThrow("cannot be the address");
    await expect(enroll(server.url, "idet_short")).rejects.toThrow("no enrolment token");
    await expect(enroll(server.url, `idet_t_acme_${"x".repeat(32)}`)).rejects.toThrow("refused: bad-token");
    server.offer({ policy: policyOf(world.origin.port, "deny") });
    expect(await enroll(server.url, server.token)).toMatchObject({
      enrolled: true,
      tenant: "Acme",
      owner: "p_owner",
      policy: { revision: 1 },
    });
    expect(await world.status("POST")).toBe(403);
    await expect(enroll(server.url, server.token)).rejects.toThrow("belongs to 'Acme' already");
    const told = JSON.stringify([await control.call("fleet_status", {}), await world.daemon.rows()]);
    expect(told).not.toContain(server.token);
    expect(told).not.toContain("PRIVATE KEY");
    expect(await control.call("fleet_leave", {})).toEqual({ enrolled: false });
    expect(await world.status("POST")).toBe(200);
  },
  LONG_MS,
);
