// Who is told of requests that wait at the control plane: a card in Slack is posted once, a click by
// a person who may decide is a decision, and another server goes on where one was killed.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { openDecision } from "../../src/api/fleet/signed.ts";
import { Sealer } from "../../src/server/sealer.ts";
import { type Server, startServer } from "../../src/server/server.ts";
import type { TenantName } from "../../src/server/tenants.ts";
import { eventually } from "../support/eventually.ts";
import { ControlPlane, type TestPerson } from "../support/server/control-plane.ts";
import type { SimulatedDevice } from "../support/server/simulated-device.ts";
import { openTestDatabase } from "../support/server/test-database.ts";
import { buttonsOf, SLACK_TOKENS, type SlackStandIn, startSlack } from "../support/stand-ins/slack.ts";

const LONG = 100_000;
/** For one thing to happen. */
const SOON = 25_000;
const SLACK = "T0TEAM/U0APPROVER";
const sealer = new Sealer(randomBytes(32));
const logged: string[] = [];
let plane: ControlPlane;
let acme: TenantName;
let owner: TestPerson;
let ada: TestPerson;
let device: SimulatedDevice;

beforeAll(async () => {
  plane = await ControlPlane.start(await openTestDatabase(), {
    domain: "localhost",
    sealer,
    reachPrivate: true,
    leaseMs: 2_000,
    log: (event, fields) => logged.push(`${event} ${JSON.stringify(fields)}`),
  });
  acme = await plane.tenant("acme");
  owner = await plane.person(acme, "Olga", ["admin"]);
  ada = await plane.person(acme, "Ada", ["approver"]);
  device = await plane.device(acme, owner.id, "laptop");
}, LONG);

afterAll(async () => {
  await plane[Symbol.asyncDispose]();
}, LONG);

const post = (path: string, input: object) => plane.api(acme, owner.token, "POST", path, input);
const list = async () => (await plane.api(acme, owner.token, "GET", "/api/v1/notify-targets")).body.items;
const remove = (name: string) => post(`/api/v1/notify-targets/${name}/remove`, {});

async function addSlack(slack: SlackStandIn, people: readonly { slack: string; person: string }[]) {
  const { status, body } = await post("/api/v1/notify-targets", {
    name: "ops",
    target: `slack:C0CHANNEL1?api=${slack.api}`,
    secrets: [...SLACK_TOKENS],
    approvers: people,
    from_tier: "modify",
  });
  expect([status, JSON.stringify(body).includes("xoxb")]).toEqual([200, false]);
  await slack.linked();
}

const cards = (slack: SlackStandIn, count: number) =>
  eventually(
    async () => slack.messages,
    (all) => all.length >= count,
    SOON,
  );

const edited = (slack: SlackStandIn, at: number) =>
  eventually(
    async () => slack.messages[at],
    (card) => (card?.edits ?? 0) > 0,
    SOON,
  );

const log = (text: string) =>
  eventually(
    async () => logged,
    (lines) => lines.some((line) => line.includes(text)),
    SOON,
  );

test(
  "a click in Slack by a person who may decide is his decision, worth L1, and it counts once",
  async () => {
    await using slack = startSlack();
    await addSlack(slack, [
      { slack: SLACK, person: ada.id },
      { slack: "T0TEAM/U0OWNER", person: owner.id },
    ]);
    try {
      await device.hold({ tier: "observe", command: "too low to be told" });
      const held = await device.hold({ command: "pods <!channel> delete" });
      const [card] = await cards(slack, 1);
      if (card === undefined) throw new Error("no card");
      expect(buttonsOf(card)).toEqual(["iddio_allow", "iddio_deny"]);
      const shown = JSON.stringify(card);
      expect([shown.includes("laptop"), shown.includes("<!channel>"), shown.includes("too low")]).toEqual([
        true,
        false,
        false,
      ]);
      // A stranger, the person whose machine asks, another channel, a button that is not ours.
      slack.click(card, { verb: "allow", user: "U0NOBODY" });
      await log("not on the list of approvers");
      slack.click(card, { verb: "allow", user: "U0OWNER" });
      await log("nobody allows an ask of his own device");
      slack.click(card, { verb: "allow", channel: "C0OTHER" });
      await log("another channel");
      slack.click(card, { verb: "allow", value: "made-up" });
      await log("no card here has this button");
      // Repeated, on a new link, and against what was decided.
      const allow = slack.envelope(card, { verb: "allow", envelope: "e-allow" });
      const deny = slack.envelope(card, { verb: "deny", envelope: "e-deny" });
      const waiting = device.call("wait", { after: 0, wait_ms: 50_000 });
      slack.send(allow, allow);
      const { body } = await waiting;
      expect(body.decisions).toHaveLength(1);
      const [decision] = body.decisions;
      if (decision === undefined) throw new Error("no decision");
      const opened = openDecision(decision, {
        tenant: acme.id,
        device: device.id,
        keys: device.keys,
        nowMs: Date.now(),
        held: () => held,
      });
      expect(opened).toMatchObject({ kind: "good", value: { verb: "allow", by: "Ada", via: "slack" } });
      expect((await edited(slack, 0))?.text).toBe("iddio: approved by Ada");
      const { links } = slack;
      slack.drop();
      await slack.linked(links + 1);
      slack.send(deny, allow);
      await log("it was decided already");
      const { body: one } = await plane.api(
        acme,
        ada.token,
        "GET",
        `/api/v1/approvals/${device.id}/${held.nonce}`,
      );
      expect(one).toMatchObject({ state: "decided", verb: "allow", decided_by: "Ada" });
      // A question that is too grave for Slack has no button that allows, and a forged click allows nothing.
      await device.hold({ tier: "break-glass" });
      const grave = (await cards(slack, 2))[1];
      if (grave === undefined) throw new Error("no card");
      expect(buttonsOf(grave)).toEqual(["iddio_deny"]);
      slack.click(grave, { verb: "allow" });
      await log("Slack allows nothing of the tier break-glass");
      // Decided on the page: the card is brought up to date; ended on the device: as well.
      const third = await device.hold();
      await cards(slack, 3);
      await device.call("approvals", {
        held: [],
        ended: [
          { id: third.id, nonce: third.nonce, outcome: "denied", by: "Olga here", ended_ms: Date.now() },
        ],
      });
      expect((await edited(slack, 2))?.text).toBe("iddio: denied by Olga here");
      expect(slack.messages).toHaveLength(3);
    } finally {
      await remove("ops");
    }
  },
  LONG,
);

test(
  "a person without the right any more decides nothing, in Slack neither",
  async () => {
    await using slack = startSlack();
    const eve = await plane.person(acme, "Eve", ["approver"]);
    await addSlack(slack, [{ slack: SLACK, person: eve.id }]);
    try {
      await device.hold();
      const [card] = await cards(slack, 1);
      if (card === undefined) throw new Error("no card");
      expect((await post(`/api/v1/people/${eve.id}/disable`, {})).status).toBe(200);
      slack.click(card, { verb: "allow" });
      await log("this person may not decide");
    } finally {
      await remove("ops");
    }
  },
  LONG,
);

test(
  "another server takes a target over, and posts no card a second time",
  async () => {
    await using slack = startSlack();
    await addSlack(slack, [{ slack: SLACK, person: ada.id }]);
    let second: Server | undefined;
    try {
      // Slack has the card, and the server that posted it never hears so, since it ends.
      slack.fail("chat.postMessage", () => Promise.withResolvers<Response>().promise, { after: true });
      await device.hold({ command: "told once" });
      await cards(slack, 1);
      // As if it were killed: its lease ends without a word.
      await plane.database.run({ tenant: acme.id }, (tx) =>
        tx.rows(
          "update notice_targets set leased_by = 'srv_gone', leased_until_ms = leased_until_ms + 0 where name = 'ops'",
        ),
      );
      second = await startServer({
        database: plane.database,
        sealer,
        hostname: "127.0.0.1",
        port: 0,
        domain: "localhost",
        reachPrivate: true,
        log: () => undefined,
      });
      await device.hold({ command: "told by another" });
      await cards(slack, 2);
      expect(slack.messages.filter((each) => JSON.stringify(each).includes("told once"))).toHaveLength(1);
    } finally {
      await second?.stop(0);
      await remove("ops");
    }
  },
  LONG,
);

test(
  "a webhook gets the question and its end, signed; its secret is told once, a test says how it went",
  async () => {
    const got: { headers: Headers; body: { type: string; data: Record<string, unknown> } }[] = [];
    const receiver = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        got.push({ headers: request.headers, body: (await request.json()) as (typeof got)[number]["body"] });
        return new Response("");
      },
    });
    try {
      const target = `http://127.0.0.1:${receiver.port}/in`;
      const added = await post("/api/v1/notify-targets", { name: "hook", target });
      expect(added.body.secret).toStartWith("whsec_");
      expect((await post("/api/v1/notify-targets", { name: "hook", target })).body.code).toBe("conflict");
      expect((await post("/api/v1/notify-targets/hook/rotate", {})).body.secret).not.toBe(added.body.secret);
      await post("/api/v1/notify-targets/hook/test", {});
      const held = await device.hold();
      const path = `/api/v1/approvals/${device.id}/${held.nonce}/decide`;
      await plane.api(acme, ada.token, "POST", path, {
        verb: "deny",
        digest: held.digest,
        reason: "not now",
      });
      const all = await eventually(
        async () => got.filter(({ body }) => body.data.approval_id === held.id),
        (found) => found.length >= 2,
        SOON,
      );
      expect(all.map(({ body }) => body.type)).toEqual(["approval.asked", "approval.settled"]);
      expect(all[1]?.body.data).toMatchObject({ outcome: "denied", by: "Ada", note: "not now" });
      // Two secrets while they are rotated; the first message may have been on its way by then.
      expect(all[1]?.headers.get("webhook-signature")?.split(" ")).toHaveLength(2);
      expect(got.some(({ body }) => body.data.command === "notify test")).toBe(true);
      await eventually(
        async () => (await list()).find((each: { name: string }) => each.name === "hook"),
        (report) => report?.delivered >= 3 && report.waiting === 0,
        SOON,
      );
      expect(JSON.stringify(await list())).not.toContain("whsec_");
    } finally {
      await remove("hook");
      await receiver.stop(true);
    }
  },
  LONG,
);

test("a tenant cannot have the server look into its operator's network", async () => {
  const other = await startServer({
    database: plane.database,
    sealer,
    hostname: "127.0.0.1",
    port: 0,
    domain: "localhost",
    log: () => undefined,
  });
  try {
    for (const target of [
      "http://127.0.0.1:1/in",
      "https://localhost/in",
      "slack:C0CHANNEL1?api=https://10.0.0.1/",
      "pagerduty:?url=https://10.0.0.1/",
    ]) {
      const response = await fetch(`http://127.0.0.1:${other.port}/api/v1/notify-targets`, {
        method: "POST",
        headers: { host: `acme.localhost:${other.port}`, authorization: `Bearer ${owner.token}` },
        body: JSON.stringify({
          name: "inside",
          target,
          ...(target.startsWith("http")
            ? {}
            : { secrets: target.startsWith("s") ? [...SLACK_TOKENS] : ["a".repeat(32)] }),
        }),
      });
      expect([target, response.status]).toEqual([target, 400]);
    }
  } finally {
    await other.stop(0);
  }
});
