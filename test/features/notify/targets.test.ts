// Webhooks, PagerDuty and mail: what each is told of a request that waits and of its end, what a
// callback may answer, and that nothing of it is lost, doubled, or able to hold up a request.

import { expect, test } from "bun:test";
import {
  isWebhookSecret,
  webhookHeaders,
  webhookProblem,
} from "../../../src/host/outgoing/standard-webhook.ts";
import { eventually } from "../../support/eventually.ts";
import { type HttpReceiver, startHttpReceiver } from "../forward/receivers.ts";
import { startWorld, type World } from "./held.ts";
import { hasSmtpServer, startSmtpServer } from "./smtp-server.ts";

const LONG_MS = 120_000;

interface Message {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const messages = ({ received }: HttpReceiver) => received.map(({ body }) => JSON.parse(body) as Message);

const messagesWhen = (receiver: HttpReceiver, count: number) =>
  eventually(
    async () => messages(receiver),
    (all) => all.length >= count,
    LONG_MS,
  );

/** Posts a callback as the receiver of a webhook would. */
async function callBack(
  { daemon }: World,
  data: Readonly<Record<string, unknown>>,
  secret: string,
  seconds = Math.floor(Date.now() / 1000),
): Promise<{ readonly status: number; readonly text: string }> {
  const body = JSON.stringify({ type: "approval.answer", data });
  const response = await fetch(`http://127.0.0.1:${daemon.port}/iddio/v1/answers`, {
    method: "POST",
    headers: webhookHeaders(`msg_${crypto.randomUUID()}`, seconds, body, [secret]),
    body,
  });
  return { status: response.status, text: await response.text() };
}

test(
  "a webhook is told of a question and of its end, signed, and no listing tells the secret",
  async () => {
    await using receiver = startHttpReceiver();
    await using world = await startWorld();
    const { control } = world.daemon;
    const { secret = "" } = await control.call("notify_add", {
      name: "hook",
      target: `${receiver.origin}/in`,
    });
    expect(isWebhookSecret(secret)).toBe(true);
    using client = await world.hold();
    const [asked] = await messagesWhen(receiver, 1);
    expect(asked).toMatchObject({ type: "approval.asked", data: { tier: "modify", protocol: "generic" } });
    expect(asked?.data.request).toContain("POST /thing");
    expect(asked?.data.nonce).toBeUndefined();
    expect(asked?.data.evidence).toBeUndefined();
    const [approval] = await world.daemon.pending();
    await control.call("approvals_deny", { id: approval?.id ?? "", reason: "no" });
    await client.until("outcome");
    const [, settled] = await messagesWhen(receiver, 2);
    expect(settled).toMatchObject({
      type: "approval.settled",
      data: { outcome: "denied", by: "owner", note: "no" },
    });
    for (const { headers, body } of receiver.received)
      expect(
        webhookProblem((name) => headers.get(name) ?? undefined, body, [secret], Date.now()),
      ).toBeUndefined();
    const told = JSON.stringify([await control.call("notify_list", {}), await world.daemon.rows()]);
    expect(told).not.toContain(secret);
  },
  LONG_MS,
);

test(
  "a callback lets one request through once, when it is signed and names nonce, digest and verb",
  async () => {
    await using receiver = startHttpReceiver();
    await using world = await startWorld();
    const { secret = "" } = await world.daemon.control.call("notify_add", {
      name: "hook",
      target: receiver.origin,
      replies: true,
    });
    using client = await world.hold();
    const [asked] = await messagesWhen(receiver, 1);
    const { approval_id, digest, nonce } = asked?.data ?? {};
    const good = { approval_id, digest, nonce, verb: "allow", reason: "looks right" };
    const other = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    expect((await callBack(world, good, other)).status).toBe(404);
    expect((await callBack(world, good, secret, Math.floor(Date.now() / 1000) - 900)).status).toBe(404);
    expect((await callBack(world, { ...good, digest: "other" }, secret)).status).toBe(409);
    expect((await callBack(world, { ...good, nonce: "other" }, secret)).status).toBe(404);
    expect((await callBack(world, { ...good, verb: "allow-all" }, secret)).status).toBe(400);
    expect(world.origin.text).toBe("");
    expect(await callBack(world, good, secret)).toMatchObject({ status: 200 });
    expect(await client.until("ok")).toMatch(/^HTTP\/1\.1 200/);
    expect((await callBack(world, good, secret)).status).toBe(409);
    const rows = await world.daemon.rowsWhen((all) =>
      all.some(({ fields }) => fields.command === "approval allow"),
    );
    expect(rows.find(({ fields }) => fields.command === "approval allow")?.fields).toMatchObject({
      principal: "webhook",
      caller_name: "webhook hook",
      factor: "webhook",
      level: "L1",
    });
  },
  LONG_MS,
);

test(
  "a callback allows nothing above modify, denies everything, and a target that takes none takes none",
  async () => {
    await using receiver = startHttpReceiver();
    await using deaf = startHttpReceiver();
    await using world = await startWorld();
    const { control } = world.daemon;
    const { secret = "" } = await control.call("notify_add", {
      name: "hook",
      target: receiver.origin,
      replies: true,
    });
    const { secret: deafSecret = "" } = await control.call("notify_add", {
      name: "deaf",
      target: deaf.origin,
    });
    using client = await world.hold("DELETE");
    const [asked] = await messagesWhen(receiver, 1);
    await messagesWhen(deaf, 1);
    const { approval_id, digest, nonce } = asked?.data ?? {};
    const about = { approval_id, digest, nonce };
    expect((await callBack(world, { ...about, verb: "deny" }, deafSecret)).status).toBe(404);
    const refused = await callBack(world, { ...about, verb: "allow" }, secret);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("its tier is sensitive");
    expect(world.origin.text).toBe("");
    // The nonce is used up by the first try: a person at the machine answers.
    expect((await callBack(world, { ...about, verb: "deny" }, secret)).status).toBe(409);
    await control.call("approvals_deny", { id: String(approval_id) });
    await client.until("outcome");
  },
  LONG_MS,
);

test(
  "what waits while a webhook is down arrives later in order, and a message it refuses is set aside",
  async () => {
    let isUp = false;
    await using receiver = startHttpReceiver(({ body }) =>
      isUp
        ? new Response("", { status: body.includes("/poison") ? 422 : 204 })
        : new Response("", { status: 503 }),
    );
    await using world = await startWorld();
    const { control } = world.daemon;
    await control.call("notify_add", { name: "hook", target: receiver.origin });
    using _first = await world.hold("POST", "/first");
    await messagesWhen(receiver, 1);
    using _poison = await world.hold("POST", "/poison");
    using _last = await world.hold("POST", "/last");
    await world.daemon.pending(3);
    isUp = true;
    const before = receiver.received.length;
    const arrived = await eventually(
      async () => messages(receiver).slice(before),
      (all) => all.some(({ data }) => String(data.request).includes("/last")),
      LONG_MS,
    );
    const paths = arrived.map(({ data }) => /\/(\w+)/.exec(String(data.request))?.[1]);
    expect(paths).toEqual(["first", "poison", "last"]);
    const { targets } = await control.call("notify_list", {});
    expect(targets[0]).toMatchObject({ set_aside: 1, waiting: 0, delivered: 2 });
  },
  LONG_MS,
);

test(
  "PagerDuty is triggered, acknowledged when a person looks, and resolved, all under one key",
  async () => {
    await using receiver = startHttpReceiver(() => Response.json({ status: "success" }, { status: 202 }));
    await using world = await startWorld();
    const { control } = world.daemon;
    await control.call("notify_add", {
      name: "pager",
      target: `pagerduty:?url=${receiver.origin}/v2/enqueue`,
      secrets: ["0123456789abcdef0123456789abcdef"],
      from_tier: "sensitive",
    });
    using below = await world.hold("POST", "/below");
    using client = await world.hold("DELETE", "/above");
    const events = () => receiver.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    const when = (count: number) =>
      eventually(
        async () => events(),
        (all) => all.length >= count,
        LONG_MS,
      );
    const [trigger] = await when(1);
    expect(trigger).toMatchObject({
      event_action: "trigger",
      routing_key: "0123456789abcdef0123456789abcdef",
      payload: { severity: "error", class: "sensitive" },
    });
    const { approvals } = await control.call("approvals_list", {});
    const above = approvals.find(({ path }) => path === "/above")?.id ?? "";
    await control.call("approvals_effect", { id: above });
    await when(2);
    await control.call("approvals_deny", { id: above });
    await client.until("outcome");
    const all = await when(3);
    expect(all.map(({ event_action }) => event_action)).toEqual(["trigger", "acknowledge", "resolve"]);
    expect(new Set(all.map(({ dedup_key }) => dedup_key)).size).toBe(1);
    expect(JSON.stringify(all)).not.toContain("/below");
    below[Symbol.dispose]();
  },
  LONG_MS,
);

test(
  "a mail goes out over SMTP with TLS and a password, once, and names the request",
  async () => {
    if (!hasSmtpServer())
      return void process.stderr.write("python3 with aiosmtpd is not installed: no mail is sent\n");
    await using server = await startSmtpServer();
    await using world = await startWorld();
    const { control } = world.daemon;
    const target = (port: number) =>
      `smtps://iddio@localhost:${port}?from=iddio@example.com&to=ops@example.com,b@example.com`;
    await control.call("notify_add", {
      name: "mail",
      target: target(server.port),
      secrets: ["correct-horse"],
      ca_pem: server.caPem,
    });
    using _client = await world.hold("POST", "/%0d%0aBcc:evil@example.com");
    const [mail] = await server.mails(1);
    expect(mail?.to).toEqual(["ops@example.com", "b@example.com"]);
    expect(mail?.user).toBe("iddio");
    expect(mail?.text).toContain("Subject: iddio: modify request waits");
    expect(mail?.text).toContain("iddio approval show appr_");
    expect(mail?.text).not.toMatch(/^Bcc:/m);
    expect(await control.call("notify_test", { name: "mail" })).toEqual({});
    await control.call("notify_add", {
      name: "untrusted",
      target: target(server.port),
      secrets: ["correct-horse"],
    });
    expect((await control.call("notify_test", { name: "untrusted" })).problem).toMatch(/certificate/i);
    await control.call("notify_add", {
      name: "wrong",
      target: target(server.port),
      secrets: ["wrong-password"],
      ca_pem: server.caPem,
    });
    expect((await control.call("notify_test", { name: "wrong" })).problem).toContain("535");
  },
  LONG_MS,
);

const UNUSABLE: readonly { readonly target: string; readonly says: string; readonly secrets?: string[] }[] = [
  { target: "slack:#ops", says: "names no channel by its id" },
  { target: "slack:C0123456789", says: "needs the bot's token" },
  { target: "http://example.com/hook", says: "is neither https nor on this machine" },
  { target: "https://user:secret@example.com/", says: "holds a password" },
  { target: "pagerduty:", says: "needs the routing key", secrets: ["short"] },
  { target: "pagerduty:?url=http://example.com/", says: "has an address that is not https" },
  { target: "smtps://mail.example.com", says: "needs from=" },
  { target: "smtps://mail.example.com?from=a@b.c&to=x@y.z%0aBcc:e@f.g", says: "needs from=" },
  { target: "smtps://u@mail.example.com?from=a@b.c&to=x@y.z", says: "needs a password" },
  { target: "ftp://example.com/", says: "is of no known kind" },
];

test("a target that cannot be used is told when it is added", async () => {
  await using world = await startWorld();
  for (const { target, says, secrets } of UNUSABLE)
    await expect(
      world.daemon.control.call("notify_add", { name: "x", target, ...(secrets ? { secrets } : {}) }),
      target,
    ).rejects.toThrow(says);
});
