// Who is woken by news: at the server where a decision is made its own device, and nobody else.

import { expect, test } from "bun:test";
import type { Database } from "../../src/server/database/database.ts";
import { startServer } from "../../src/server/server.ts";
import { eventually } from "../support/eventually.ts";
import { ControlPlane } from "../support/server/control-plane.ts";
import { openTestDatabase } from "../support/server/test-database.ts";

const LONG = 110_000;

test(
  "a decision wakes its own device at this server, and no other that waits",
  async () => {
    await using plane = await ControlPlane.start(await openTestDatabase(), { domain: "localhost" });
    const looks = new Map<unknown, number>();
    let scans = 0;
    const counting: Database = {
      ...plane.database,
      run: (scope, work) =>
        plane.database.run(scope, (tx) =>
          work({
            async rows(text, values = []) {
              const rows = await tx.rows(text, values);
              if (text.includes("decision_seq > $2")) looks.set(values[0], (looks.get(values[0]) ?? 0) + 1);
              if (text.startsWith("select tenant_id, tick from tenants where")) scans += 1;
              return rows;
            },
          }),
        ),
    };
    const options = { hostname: "127.0.0.1", port: 0, domain: "localhost", log: () => undefined };
    const server = await startServer({ ...options, database: counting, sealer: plane.sealer });
    const acme = await plane.tenant("acme");
    const owner = await plane.person(acme, "Olga", ["admin"]);
    const ada = await plane.person(acme, "Ada", ["approver"]);
    const at = { url: `http://127.0.0.1:${server.port}`, host: `acme.localhost:${server.port}` };
    const devices = await Promise.all([1, 2, 3, 4].map(() => plane.device(acme, owner.id)));
    for (const each of devices) Object.assign(each, { server: at });
    const [asking] = devices;
    if (asking === undefined) throw new Error("no device");
    const waits = devices.map((each) => each.call("wait", { after: 0, wait_ms: 50_000 }));
    const allWait = () =>
      eventually(
        async () => server.parts.ticks.waiting,
        (count) => count === devices.length,
      );
    /** Two looks at the tenant's number that begin now or later. */
    const twoScans = async () => {
      const before = scans;
      await eventually(
        async () => scans,
        (count) => count >= before + 2,
      );
    };
    try {
      // The first look at the number wakes everybody once.
      await allWait();
      await twoScans();
      await allWait();
      const before = new Map(looks);
      const held = await asking.hold();
      const response = await fetch(`${at.url}/api/v1/approvals/${asking.id}/${held.nonce}/decide`, {
        method: "POST",
        headers: { host: at.host, authorization: `Bearer ${ada.token}` },
        body: JSON.stringify({ verb: "deny", digest: held.digest }),
      });
      expect(response.status).toBe(200);
      expect((await waits[0])?.body.decisions).toHaveLength(1);
      await twoScans();
      const more = devices.map(({ id }) => (looks.get(id) ?? 0) - (before.get(id) ?? 0));
      expect(more).toEqual([1, 0, 0, 0]);
    } finally {
      await server.stop();
      await Promise.allSettled(waits);
    }
  },
  LONG,
);
