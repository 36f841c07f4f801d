// Held requests: who may release them, how often, and what each way out looks like to the
// client, in the audit log and in the events.

import { describe, expect, test } from "bun:test";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { connectTls } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";

const POLICY = (port: number) => `
generic:
  inspect: ["localhost:${port}"]
  default: escalate
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`;

async function start(settings = ""): Promise<{ origin: RawOrigin; daemon: Daemon } & AsyncDisposable> {
  const origin = await startRawOrigin();
  const daemon = await startDaemon({ trust: [origin], policy: POLICY(origin.port), settings });
  return {
    origin,
    daemon,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

function post(origin: RawOrigin, body = "a=1"): string {
  return `POST /thing HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

const connect = (daemon: Daemon, origin: RawOrigin) =>
  connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });

describe("a held request", () => {
  test("waits, is forwarded once when approved, and its intent row is there before the upstream sees it", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    using client = await connect(daemon, origin);
    client.send(post(origin));
    const [approval] = await daemon.pending();
    expect(approval).toMatchObject({ method: "POST", path: "/thing", tier: "modify", protocol: "generic" });
    expect(origin.text).toBe("");
    await daemon.control.call("approvals_allow", { id: approval?.id ?? "", reason: "go" });
    expect(await client.until("ok")).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(origin.text.match(/POST \/thing/g)).toHaveLength(1);
    const rows = await daemon.rowsWhen((all) => all.some((row) => row.op === "mitm"));
    const requests = rows.filter((row) => row.op !== "control");
    expect(requests.map((row) => row.op)).toEqual(["intent", "mitm"]);
    expect(rows.find((row) => row.op === "intent")?.fields.decision).toBeUndefined();
    expect(rows.findLast((row) => row.op === "mitm")?.fields).toMatchObject({
      decision: "allow",
      outcome: "approved",
      approval_id: approval?.id,
      reason: "go",
      status: 200,
    });
  });

  test("is refused with the person's words when denied", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    using client = await connect(daemon, origin);
    client.send(post(origin));
    const [approval] = await daemon.pending();
    await daemon.control.call("approvals_deny", {
      id: approval?.id.slice(5, 9) ?? "",
      reason: "not during business hours",
    });
    const reply = await client.until('"outcome"');
    expect(reply).toMatch(/^HTTP\/1\.1 403 /);
    expect(reply).toContain("not during business hours");
    expect(origin.text).toBe("");
    const rows = await daemon.rowsWhen((all) => all.some((row) => row.op === "block"));
    expect(rows.find((row) => row.op === "block")?.fields).toMatchObject({
      decision: "deny",
      outcome: "denied",
    });
  });

  test("times out with an outcome of its own", async () => {
    await using both = await start("approval_timeout: 100ms\n");
    const { daemon, origin } = both;
    using client = await connect(daemon, origin);
    client.send(post(origin));
    expect(await client.until('"outcome":"timed_out"')).toMatch(/^HTTP\/1\.1 403 /);
    const rows = await daemon.rowsWhen((all) => all.some((row) => row.op === "block"));
    expect(rows.find((row) => row.op === "block")?.fields).toMatchObject({
      decision: "escalate",
      outcome: "timed_out",
    });
    expect(origin.text).toBe("");
  });

  test("is withdrawn when the client leaves, and a later approval executes nothing", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    const client = await connect(daemon, origin);
    client.send(post(origin));
    const [approval] = await daemon.pending();
    client[Symbol.dispose]();
    const rows = await daemon.rowsWhen((all) => all.some((row) => row.op === "block"));
    expect(rows.find((row) => row.op === "block")?.fields).toMatchObject({ outcome: "withdrawn" });
    const { note } = await daemon.control.call("approvals_allow", { id: approval?.id ?? "" });
    expect(note).toContain("the same request passes once");
    expect(origin.text).toBe("");
  });

  test("can be decided exactly once, by the first to answer", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    using client = await connect(daemon, origin);
    client.send(post(origin));
    const [approval] = await daemon.pending();
    const id = approval?.id ?? "";
    const answers = await Promise.allSettled([
      daemon.control.call("approvals_allow", { id }),
      daemon.control.call("approvals_allow", { id }),
      daemon.control.call("approvals_deny", { id }),
    ]);
    expect(answers.filter((each) => each.status === "fulfilled")).toHaveLength(1);
    await client.until("HTTP/1.1 ");
    expect((origin.text.match(/POST/g) ?? []).length).toBeLessThanOrEqual(1);
  });

  test("does not hold up other connections", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    using held = await connect(daemon, origin);
    held.send(post(origin));
    await daemon.pending();
    using other = await connect(daemon, origin);
    other.send(`GET /read HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`);
    expect(await other.until("ok")).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  test("stays held when the mode changes, and is withdrawn when the gateway stops", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    using client = await connect(daemon, origin);
    client.send(post(origin));
    await daemon.pending();
    await daemon.control.call("mode_set", { proxy_mode: "passthrough" });
    expect(await daemon.pending()).toHaveLength(1);
    await daemon.gateway.stop();
    expect(client.received).toContain('"outcome":"withdrawn"');
    expect(origin.text).toBe("");
  });
});

test("two hundred held requests are each decided on their own", async () => {
  await using both = await start();
  const { daemon, origin } = both;
  const clients = await Promise.all(Array.from({ length: 200 }, () => connect(daemon, origin)));
  for (const client of clients) client.send(post(origin));
  const approvals = await daemon.pending(200);
  expect(new Set(approvals.map((each) => each.id)).size).toBe(200);
  await Promise.all(
    approvals.map(({ id }, index) =>
      daemon.control.call(index % 2 ? "approvals_allow" : "approvals_deny", { id }),
    ),
  );
  await Promise.all(clients.map((client) => client.until("HTTP/1.1 ")));
  expect(origin.text.match(/POST/g)).toHaveLength(100);
  for (const client of clients) client[Symbol.dispose]();
}, 120_000);

describe("what a person allowed", () => {
  const DELETE = (origin: RawOrigin, n = 1) =>
    `DELETE /thing/${n} HTTP/1.1\r\nHost: localhost:${origin.port}\r\nAuthorization: Bearer t\r\n\r\n`;

  test("too late is let through once when the same request comes again", async () => {
    await using both = await start("approval_timeout: 100ms\n");
    const { daemon, origin } = both;
    using client = await connect(daemon, origin);
    client.send(DELETE(origin));
    const [approval] = await daemon.pending();
    await client.until('"outcome":"timed_out"');
    const reply = await daemon.control.call("approvals_allow", { id: approval?.id ?? "" });
    expect(reply.note).toContain("once");
    expect(origin.text).toBe("");
    client.send(DELETE(origin));
    await client.until("200 OK");
    client.send(DELETE(origin));
    await client.until('"outcome":"timed_out"', 2);
    expect(origin.text.match(/DELETE/g)).toHaveLength(1);
  });

  test("of a client that left is taken over by its retry, under the same id", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    const first = await connect(daemon, origin);
    first.send(DELETE(origin));
    const [approval] = await daemon.pending();
    first[Symbol.dispose]();
    await daemon.rowsWhen((rows) => rows.some((row) => row.fields.outcome === "withdrawn"));
    using second = await connect(daemon, origin);
    second.send(DELETE(origin));
    const [again] = await daemon.pending();
    expect(again?.id).toBe(approval?.id ?? "");
    await daemon.control.call("approvals_allow", { id: again?.id ?? "" });
    await second.until("200 OK");
  });

  test("for a while covers the same command by the same credential, and nothing after it is revoked", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    using client = await connect(daemon, origin);
    client.send(DELETE(origin));
    const [approval] = await daemon.pending();
    await daemon.control.call("approvals_allow", { id: approval?.id ?? "", for_ms: 60_000 });
    await client.until("200 OK");
    client.send(DELETE(origin, 2));
    await client.until("200 OK", 2);
    const rows = await daemon.rowsWhen((all) =>
      all.some((row) => row.fields.outcome === "granted" && row.op === "mitm"),
    );
    expect(rows.findLast((row) => row.op === "mitm")?.fields.approval_id).toBe(approval?.id);

    using stranger = await connect(daemon, origin);
    stranger.send(DELETE(origin).replace("Bearer t", "Bearer other"));
    expect(await daemon.pending()).toHaveLength(1);

    const { grants } = await daemon.control.call("grants_list", {});
    await daemon.control.call("grants_revoke", { id: grants[0]?.id ?? "" });
    client.send(DELETE(origin, 3));
    await daemon.pending(2);
    expect(origin.text.match(/DELETE/g)).toHaveLength(2);
  });

  test("only once when it does not name the place that it changes something in", async () => {
    await using origin = await startRawOrigin();
    const policy = `github:\n  inspect: ["localhost:${origin.port}"]\n  default: escalate\n`;
    await using daemon = await startDaemon({ trust: [origin], policy });
    using client = await connect(daemon, origin);
    const mutation = 'mutation { closeIssue(input: {issueId: "I_1"}) { issue { id } } }';
    const body = JSON.stringify({ query: mutation });
    client.send(
      `POST /api/graphql HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const [approval] = await daemon.pending();
    const allow = daemon.control.call("approvals_allow", { id: approval?.id ?? "", for_ms: 60_000 });
    await expect(allow).rejects.toThrow(/can only be approved once: it does not name its repo/);
    await daemon.control.call("approvals_allow", { id: approval?.id ?? "" });
    await client.until("200 OK");
  });

  test("is shown without credentials and with secrets masked", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    using client = await connect(daemon, origin);
    const body = '{"name":"db","password":"hunter2"}';
    client.send(
      `POST /thing?token=abc HTTP/1.1\r\nHost: localhost:${origin.port}\r\nAuthorization: Bearer t0ps3cret\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const [approval] = await daemon.pending();
    const { approval: shown } = await daemon.control.call("approvals_show", { id: approval?.id ?? "" });
    expect(shown.body).toBe('{"name":"db","password":"***"}');
    expect(JSON.stringify(shown)).not.toMatch(/hunter2|t0ps3cret|abc/);
    await daemon.control.call("approvals_allow", { id: shown.id });
    await client.until("200 OK");
    expect(origin.text).toEndWith(body);
  });
});

test("a client that falls back to another protocol after a denial is not asked about again", async () => {
  await using both = await start();
  const { daemon, origin } = both;
  using client = await connect(daemon, origin);
  const attempt = (method: string, upgrade: string) =>
    `${method} /exec?command=sh HTTP/1.1\r\nHost: localhost:${origin.port}\r\nKubectl-Session: s1\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`;
  client.send(attempt("GET", "websocket"));
  const [approval] = await daemon.pending();
  await daemon.control.call("approvals_deny", { id: approval?.id ?? "", reason: "no shells" });
  await client.until("no shells");
  client.send(attempt("POST", "SPDY/3.1"));
  await client.until("no shells", 2);
  expect((await daemon.control.call("approvals_list", {})).approvals).toEqual([]);
  expect(origin.text).toBe("");
});

describe("what was allowed for one request does not cover another that only looks alike:", () => {
  const secret = (origin: RawOrigin, target: string) =>
    `POST / HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: secretsmanager.${target}\r\nContent-Length: 16\r\n\r\n{"SecretId":"x"}`;

  test("another X-Amz-Target with the same body is asked about, under an id of its own", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    const first = await connect(daemon, origin);
    first.send(secret(origin, "RotateSecret"));
    const [mild] = await daemon.pending();
    first[Symbol.dispose]();
    await daemon.rowsWhen((rows) => rows.some((row) => row.fields.outcome === "withdrawn"));
    await daemon.control.call("approvals_allow", { id: mild?.id ?? "" });
    using second = await connect(daemon, origin);
    second.send(secret(origin, "DeleteSecret"));
    const [worse] = await daemon.pending();
    expect(worse?.id).not.toBe(mild?.id);
    expect(origin.text).toBe("");
  });

  test("a signature's key in the query of another protocol does not stand for the token", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    const as = (token: string) =>
      `DELETE /thing?X-Amz-Credential=a HTTP/1.1\r\nHost: localhost:${origin.port}\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    using client = await connect(daemon, origin);
    client.send(as("one"));
    const [approval] = await daemon.pending();
    await daemon.control.call("approvals_allow", { id: approval?.id ?? "", for_ms: 60_000 });
    await client.until("200 OK");
    client.send(as("two"));
    expect(await daemon.pending()).toHaveLength(1);
    expect(origin.text.match(/DELETE/g)).toHaveLength(1);
  });
});

test("a client that leaves before the answer leaves a row that says so", async () => {
  await using origin = await startRawOrigin(() => {});
  await using daemon = await startDaemon({
    trust: [origin],
    policy: `generic:\n  inspect: ["localhost:${origin.port}"]\n  groups: { w: { tiers: [modify] } }\n  rules: { allow: { groups: [w] } }\n`,
  });
  const client = await connect(daemon, origin);
  client.send(post(origin));
  await daemon.rowsWhen((rows) => rows.some((row) => row.op === "intent"));
  while (origin.text === "") await Bun.sleep(5);
  client[Symbol.dispose]();
  const rows = await daemon.rowsWhen((all) => all.some((row) => row.op === "mitm"));
  expect(rows.find((row) => row.op === "mitm")?.fields).toMatchObject({
    outcome: "failed",
    decision: "allow",
  });
});
