// A body for which there is no memory: its request is refused as busy, never judged or shown to a
// person without it; and holds are shared out, so that anyone who asks for many leaves a place for
// the next.

import { expect, test } from "bun:test";
import { type ApprovalRequest, Broker } from "../../../src/gateway/request/broker.ts";
import { Events } from "../../../src/gateway/request/records/events.ts";
import { PATIENCE } from "../../../src/gateway/stream/patience.ts";
import { startDaemon } from "../../support/daemon.ts";
import { madeUpAsk } from "../../support/policy/ask.ts";
import { connectTls } from "../../support/wire/proxy-client.ts";
import { startRawOrigin } from "../../support/wire/raw-origin.ts";

test("a request above observe whose body finds no room is refused as busy, and nobody is asked without it", async () => {
  const usual = PATIENCE.roomMs;
  await using origin = await startRawOrigin();
  await using daemon = await startDaemon({
    trust: [origin],
    policy: `generic:\n  inspect: ["localhost:${origin.port}"]\n  default: escalate\n`,
  });
  const connect = () => connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
  const head = (octets: number) =>
    `POST /thing HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: ${octets}\r\n\r\n`;
  const claims: Disposable[] = [];
  try {
    // Bodies that do not end, more than all clients together may have: until its process is known a client counts by its
    // user, so one process may have two shares. The late body is larger than what the others leave.
    const most = 1_000_000;
    const piece = "x".repeat(most);
    PATIENCE.roomMs = 60_000;
    for (let each = 0; each < 80; each++) {
      const client = await connect();
      client.send(head(most + 10) + piece);
      claims.push(client);
    }
    // Claims that found no room begin to wait with the long patience, all of them before anything gives up.
    await Bun.sleep(2_000);
    PATIENCE.roomMs = 300;
    const held = async () => (await daemon.control.call("approvals_list", {})).approvals.length;
    let reply: string | undefined;
    // Until the claims have all arrived there is room, and the request is held as it should be.
    while (reply === undefined) {
      const late = await connect();
      late.send(head(900_000) + "y".repeat(900_000));
      const answer = late.until("no room at present");
      answer.catch(() => undefined);
      while (reply === undefined && (await held()) === 0)
        reply = await Promise.race([answer, Bun.sleep(20).then(() => undefined)]);
      late[Symbol.dispose]();
      while ((await held()) > 0) await Bun.sleep(20);
    }
    expect(reply).toStartWith("HTTP/1.1 503 ");
    const rows = await daemon.rowsWhen((all) => all.some(({ fields }) => fields.status === 503));
    const row = rows.find(({ fields }) => fields.status === 503);
    expect(row).toMatchObject({ op: "block", fields: { outcome: "refused", decision: "escalate" } });
    expect((await daemon.control.call("approvals_list", {})).approvals).toEqual([]);
    expect(origin.text).toBe("");
  } finally {
    PATIENCE.roomMs = usual;
    for (const each of claims) each[Symbol.dispose]();
  }
}, 120_000);

const asked = (pid: number, path: string, heldBytes = 0) =>
  ({
    ask: madeUpAsk({
      subject: { client: { user: "u", pid }, credential: "" },
      fields: { method: "POST", path },
      canRecur: false,
    }),
    heldBytes,
    judgeAgain: () => undefined,
  }) as unknown as ApprovalRequest;

function holds() {
  const broker = new Broker({ events: new Events(), timeoutMs: () => 60_000 });
  return { broker, hold: (request: ApprovalRequest) => broker.hold(request, () => () => {}) };
}

test("when all places are taken, the client with most gives up what has waited longest", async () => {
  const { broker, hold } = holds();
  const first = hold(asked(1, "/first"));
  for (let each = 1; each < 500; each++) void hold(asked(1, "/a"));
  expect((await hold(asked(1, "/more"))).outcome).toBe("full");
  for (let each = 0; each < 500; each++) void hold(asked(2, "/b"));
  const third = hold(asked(3, "/c"));
  expect(await first).toMatchObject({
    outcome: "withdrawn",
    reason: "another client's request needed its place",
  });
  expect(broker.list().length).toBe(1_000);
  expect(broker.list().at(-1)?.ask.fields.path).toBe("/c");
  broker.close();
  expect((await third).outcome).toBe("withdrawn");
  expect(broker.list()).toEqual([]);
});

test("the bodies that wait are shared out in the same way", async () => {
  const MIB = 1024 * 1024;
  const { broker, hold } = holds();
  const first = hold(asked(1, "/first", MIB));
  for (let each = 1; each < 32; each++) void hold(asked(1, "/a", MIB));
  expect((await hold(asked(1, "/more", MIB))).outcome).toBe("full");
  for (let each = 0; each < 32; each++) void hold(asked(2, "/b", MIB));
  void hold(asked(3, "/c", MIB));
  expect((await first).outcome).toBe("withdrawn");
  expect(broker.list().length).toBe(64);
  broker.close();
  void hold(asked(1, "/again", 32 * MIB));
  expect(broker.list().length).toBe(1);
  broker.close();
});
