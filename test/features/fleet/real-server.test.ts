// A real daemon and the real control plane: a policy is rolled out, another
// one is only tried, an approval is decided there, rows are found there; the keys change; the server
// goes away and comes back.

import { expect, test } from "bun:test";
import { enrol } from "../../../src/features/fleet/enrolment.ts";
import { beginEpoch, listKeys, retireKey, rotateKey } from "../../../src/server/key-rotation.ts";
import { startServer } from "../../../src/server/server.ts";
import { eventually } from "../../support/eventually.ts";
import { ControlPlane, type TestPerson } from "../../support/server/control-plane.ts";
import { openTestDatabase } from "../../support/server/test-database.ts";
import { policyOf, startFleetWorld } from "./fleet-world.ts";

const LONG_MS = 110_000;
const SOON_MS = 30_000;

const nonceOf = (item: object) => /"nonce":"([0-9a-f]{32})"/.exec(JSON.stringify(item))?.[1];

test(
  "a policy, an approval and an audit search go through the real control plane, also after it was away",
  async () => {
    await using plane = await ControlPlane.start(await openTestDatabase());
    const acme = await plane.tenant("acme");
    const owner = await plane.person(acme, "Olga", ["admin"]);
    const approver = await plane.person(acme, "Ada", ["approver"]);
    const author = await plane.person(acme, "Anton", ["author"]);
    const url = `http://localhost:${plane.server.port}`;
    const api = async ({ token }: TestPerson, method: string, path: string, input?: object) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(input === undefined ? {} : { body: JSON.stringify(input) }),
      });
      // biome-ignore lint/suspicious/noExplicitAny: a test knows what it asked for.
      return { status: response.status, body: (await response.json()) as any };
    };
    const token = await plane.enrollToken(acme, owner.id);
    const enrolment = await enrol({ url, token, name: "laptop" }, "vtest", () => "");
    await expect(enrol({ url, token }, "vtest", () => "")).rejects.toThrow("refused");
    await using world = await startFleetWorld(enrolment, { local: "escalate" });
    const { control } = world.daemon;

    /** Not in a loop as fast as it goes: a device that does so is told to wait. */
    const sync = async () => {
      await control.call("fleet_sync", {});
      await Bun.sleep(200);
    };
    const publish = async (policy: string, central_tiers: string[]) => {
      const { body } = await api(author, "POST", "/api/v1/revisions", { policy, note: "n", central_tiers });
      expect(await api(owner, "POST", `/api/v1/revisions/${body.revision}/publish`, {})).toMatchObject({
        status: 200,
      });
      await world.reportWhen(({ policy: at }) => at?.revision === body.revision);
    };
    await publish(policyOf(world.origin.port, "escalate"), ["modify"]);

    // A policy that is only tried: it is judged beside the one in force, and told.
    const trial = policyOf(world.origin.port, "deny");
    const tried = await api(author, "POST", "/api/v1/revisions", { policy: trial, note: "t", kind: "dry" });
    const dry = `/api/v1/revisions/${tried.body.revision}`;
    expect((await api(author, "POST", `${dry}/publish`, {})).status).toBe(200);
    const dryOfDevice = () =>
      api(owner, "GET", `/api/v1/devices/${enrolment.device_id}`).then(
        ({ body }) => body.dry_policy?.revision,
      );
    await eventually(dryOfDevice, (revision) => revision === tried.body.revision, SOON_MS);

    const waiting = (path: string) =>
      eventually(
        async () => (await api(approver, "GET", "/api/v1/approvals")).body.items as Record<string, string>[],
        (items) => items?.some((each) => JSON.stringify(each).includes(path)),
        SOON_MS,
      ).then((items) => items.find((each) => JSON.stringify(each).includes(path)) ?? {});
    using first = await world.send("POST", "/one");
    const [pending] = await world.daemon.pending();
    const one = await waiting(pending?.id ?? "none");
    await expect(control.call("approvals_allow", { id: pending?.id ?? "" })).rejects.toThrow("control plane");
    const path = `/api/v1/approvals/${enrolment.device_id}/${nonceOf(one)}/decide`;
    expect(await api(approver, "POST", path, { verb: "allow", digest: pending?.digest })).toMatchObject({
      status: 200,
    });
    expect(await first.until("ok")).toMatch(/^HTTP\/1\.1 200/);

    await control.call("fleet_sync", {});
    const differences = await eventually(
      async () => {
        await sync();
        return (await api(owner, "GET", `${dry}/differences`)).body.items as Record<string, unknown>[];
      },
      (items) => items.length > 0,
      SOON_MS,
    );
    expect(differences[0]).toMatchObject({ decided: "escalate", dry: "deny", devices: 1 });
    expect((await api(author, "POST", `${dry}/end`, {})).status).toBe(200);
    await eventually(dryOfDevice, (revision) => revision === undefined, SOON_MS);

    // The next key is pinned before it signs; the one before is retired; a new epoch begins again.
    const [before] = await listKeys(plane.database, plane.sealer, acme.id, Date.now());
    await rotateKey(plane.database, plane.sealer, acme.id, { nowMs: Date.now(), signsFromMs: Date.now() });
    await control.call("fleet_sync", {});
    await publish(policyOf(world.origin.port, "escalate"), ["modify", "sensitive"]);
    const old = { tenant: acme.id, id: before?.id ?? "", nowMs: Date.now() };
    await retireKey(plane.database, plane.sealer, old);
    await expect(retireKey(plane.database, plane.sealer, old)).rejects.toThrow("no key");
    await control.call("fleet_sync", {});
    expect(await beginEpoch(plane.database, acme.id, Date.now())).toBe(2);
    await world.reportWhen(({ policy: at }) => at?.epoch === 2);

    // It goes away: the last policy decides, and what only it may allow waits.
    const { port } = plane.server;
    await plane.server.stop(0);
    await control.call("fleet_sync", {});
    await world.reportWhen(({ problem }) => problem !== undefined);
    using second = await world.send("POST", "/two");
    const [held] = await world.daemon.pending();
    await expect(control.call("approvals_allow", { id: held?.id ?? "" })).rejects.toThrow("control plane");
    const { database, sealer } = plane;
    const again = await startServer({ database, sealer, hostname: "127.0.0.1", port, log: () => undefined });
    try {
      const two = await waiting(held?.id ?? "none");
      const decide = `/api/v1/approvals/${enrolment.device_id}/${nonceOf(two)}/decide`;
      const denied = await api(owner, "POST", decide, {
        verb: "deny",
        digest: held?.digest,
        reason: "not today",
      });
      expect(denied.status).toBe(200);
      expect(await second.until("outcome")).toContain("not today");
      const found = await eventually(
        async () => {
          await sync();
          return (await api(owner, "GET", "/api/v1/audit?text=not%20today")).body.items as unknown[];
        },
        (items) => items.length > 0,
        SOON_MS,
      );
      expect(JSON.stringify(found)).toContain(enrolment.device_id);
    } finally {
      await again.stop(0);
    }
  },
  LONG_MS,
);
