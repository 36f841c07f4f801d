// Webhooks, PagerDuty and mail from the control plane, each at a receiver that speaks the real
// protocol: what it is told of a request that waits and of its end, and which callbacks are
// decisions of whom.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { webhookHeaders } from "../../src/host/outgoing/standard-webhook.ts";
import type { TenantName } from "../../src/server/tenants.ts";
import { type HttpReceiver, startHttpReceiver } from "../features/forward/receivers.ts";
import { hasSmtpServer, startSmtpServer } from "../features/notify/smtp-server.ts";
import { eventually } from "../support/eventually.ts";
import { ControlPlane, type TestPerson } from "../support/server/control-plane.ts";
import type { SimulatedDevice } from "../support/server/simulated-device.ts";
import { openTestDatabase } from "../support/server/test-database.ts";

const LONG = 100_000;
/** For one thing to happen. */
const SOON = 60_000;
let plane: ControlPlane;
let acme: TenantName;
let owner: TestPerson;
let ada: TestPerson;
let device: SimulatedDevice;

beforeAll(async () => {
  plane = await ControlPlane.start(await openTestDatabase(), { domain: "localhost", reachPrivate: true });
  acme = await plane.tenant("acme");
  owner = await plane.person(acme, "Olga", ["admin"]);
  ada = await plane.person(acme, "Ada", ["approver"]);
  device = await plane.device(acme, owner.id, "laptop");
}, LONG);

afterAll(async () => {
  await plane[Symbol.asyncDispose]();
}, LONG);

const post = (path: string, input: object) =>
  plane.api(acme, owner.token, "POST", `/api/v1/notify-targets${path}`, input);

async function add(input: object): Promise<string> {
  const { status, body } = await post("", input);
  expect([status, body.title]).toEqual([200, undefined]);
  return body.secret ?? "";
}

const receivedWhen = (receiver: HttpReceiver, fits: (body: string) => boolean) =>
  eventually(
    async () => receiver.received.map(({ body }) => body),
    (all) => all.some(fits),
    SOON,
  ).then((all) => JSON.parse(all.find(fits) ?? ""));

/** Posts a callback as a receiver would, to a tenant's host. */
async function callBack(
  data: Readonly<Record<string, unknown>>,
  secret: string,
  { at = acme, seconds = Math.floor(Date.now() / 1000), id = crypto.randomUUID() as string } = {},
) {
  const body = JSON.stringify({ type: "approval.answer", data });
  const response = await fetch(`${plane.url}/iddio/v1/answers`, {
    method: "POST",
    headers: { host: plane.hostOf(at), ...webhookHeaders(id, seconds, body, [secret]) },
    body,
  });
  return { status: response.status, text: await response.text() };
}

test(
  "a receiver's signed callback is the decision of its person, once, for one request",
  async () => {
    await using receiver = startHttpReceiver();
    const target = receiver.origin;
    const secret = await add({ name: "hook", target, replies_as: ada.id });
    const deaf = await add({ name: "deaf", target });
    const own = await add({ name: "own", target, replies_as: owner.id });
    const other = await plane.tenant("other");
    const asked = async (command: string, change: object = {}) => {
      const held = await device.hold({ command, ...change });
      const all = new Map<string, string>();
      // Each of the three targets has a nonce of its own where it takes replies.
      await eventually(
        async () =>
          receiver.received
            .map(({ body }) => JSON.parse(body))
            .filter(({ data }) => data.digest === held.digest),
        (told) => told.length >= 3,
        SOON,
      ).then((told) => {
        for (const { data } of told) all.set(data.nonce ?? "", data.approval_id);
      });
      return { held, nonces: [...all.keys()].filter((nonce) => nonce !== "") };
    };
    try {
      const { held, nonces } = await asked("pods patch", { tier: "modify" });
      expect(nonces).toHaveLength(2);
      const about = { approval_id: held.id, digest: held.digest, verb: "allow", reason: "looks right" };
      const tried = async (key: string, more: object = {}, how: object = {}) =>
        Promise.all(
          nonces.map(async (nonce) => (await callBack({ ...about, nonce, ...more }, key, how)).status),
        );
      // No other secret, no old time, no other tenant's host, no other request, no made-up nonce.
      expect(await tried(deaf)).toEqual([404, 404]);
      expect(await tried(secret, {}, { seconds: Math.floor(Date.now() / 1000) - 900 })).toEqual([404, 404]);
      expect(await tried(secret, {}, { at: other })).toEqual([404, 404]);
      expect((await tried(secret, { digest: "other" })).sort()).toEqual([404, 409]);
      expect((await callBack({ ...about, nonce: "made-up" }, secret)).status).toBe(404);
      // The person whose machine asks allows nothing, by a webhook neither; and his try is used up.
      expect((await tried(own)).sort()).toEqual([403, 404]);
      expect((await tried(own, { verb: "deny" })).sort()).toEqual([404, 409]);
      const waiting = device.call("wait", { after: 0, wait_ms: 30_000 });
      const id = crypto.randomUUID();
      expect((await tried(secret, {}, { id })).sort()).toEqual([200, 404]);
      expect((await tried(secret, {}, { id })).sort()).toEqual([404, 409]);
      const [decision] = (await waiting).body.decisions;
      expect(JSON.parse(decision?.payload ?? "{}")).toMatchObject({
        verb: "allow",
        by: "Ada",
        via: "webhook",
        reason: "looks right",
        nonce: held.nonce,
      });

      const grave = await asked("pods delete", { tier: "sensitive" });
      const answers = await Promise.all(
        grave.nonces.map((nonce) =>
          callBack({ approval_id: grave.held.id, digest: grave.held.digest, verb: "allow", nonce }, secret),
        ),
      );
      expect(answers.map(({ text }) => text).join()).toContain(
        "a webhook allows nothing of the tier sensitive",
      );
      const { body } = await plane.api(
        acme,
        ada.token,
        "GET",
        `/api/v1/approvals/${device.id}/${grave.held.nonce}`,
      );
      expect(body.state).toBe("waiting");
      expect((await post("", { name: "no", target, replies_as: "per_of_another" })).status).toBe(400);
    } finally {
      for (const name of ["hook", "deaf", "own"]) await post(`/${name}/remove`, {});
    }
  },
  LONG,
);

test(
  "PagerDuty is triggered and resolved under one key, and a target that is down gets it later",
  async () => {
    let isUp = false;
    await using receiver = startHttpReceiver(() =>
      isUp ? Response.json({ status: "success" }, { status: 202 }) : new Response("", { status: 503 }),
    );
    await add({
      name: "pager",
      target: `pagerduty:?url=${receiver.origin}/v2/enqueue`,
      secrets: ["0123456789abcdef0123456789abcdef"],
      from_tier: "sensitive",
    });
    try {
      await device.hold({ tier: "modify", command: "below" });
      const held = await device.hold({ tier: "break-glass", command: "above" });
      await receivedWhen(receiver, (body) => body.includes("above"));
      isUp = true;
      const trigger = await receivedWhen(receiver, (body) => body.includes('"trigger"'));
      expect(trigger).toMatchObject({
        event_action: "trigger",
        routing_key: "0123456789abcdef0123456789abcdef",
        payload: { severity: "critical", class: "break-glass", source: "laptop" },
      });
      await eventually(
        async () => (await plane.api(acme, owner.token, "GET", "/api/v1/notify-targets")).body.items,
        (items) => items?.[0]?.delivered >= 1,
        SOON,
      );
      const path = `/api/v1/approvals/${device.id}/${held.nonce}/decide`;
      await plane.api(acme, ada.token, "POST", path, { verb: "deny", digest: held.digest });
      const resolve = await receivedWhen(receiver, (body) => body.includes('"resolve"'));
      expect(resolve.dedup_key).toBe(trigger.dedup_key);
      expect(JSON.stringify(receiver.received.map(({ body }) => body))).not.toContain("below");
    } finally {
      await post("/pager/remove", {});
    }
  },
  LONG,
);

test(
  "a mail goes out over SMTP with TLS and a password, once, and its headers are ours",
  async () => {
    if (!hasSmtpServer())
      return void process.stderr.write("python3 with aiosmtpd is not installed: no mail is sent\n");
    await using server = await startSmtpServer();
    await add({
      name: "mail",
      target: `smtps://iddio@localhost:${server.port}?from=iddio@example.com&to=ops@example.com,b@example.com`,
      secrets: ["correct-horse"],
      ca_pem: server.caPem,
    });
    try {
      await device.hold({ command: "pods\r\nBcc: evil@example.com" });
      const [mail] = await server.mails(1);
      expect([mail?.user, mail?.to]).toEqual(["iddio", ["ops@example.com", "b@example.com"]]);
      expect(mail?.text).toContain("Subject: iddio: sensitive request waits");
      expect(mail?.text).toContain("laptop");
      expect(mail?.text).not.toMatch(/^Bcc:/m);
      await eventually(
        async () => (await plane.api(acme, owner.token, "GET", "/api/v1/notify-targets")).body.items,
        (items) => items?.[0]?.delivered === 1 && items[0].waiting === 0,
        SOON,
      );
      expect(await server.mails(1)).toHaveLength(1);
    } finally {
      await post("/mail/remove", {});
    }
  },
  LONG,
);
