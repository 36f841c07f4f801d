// An approval is for exactly what was shown: what looks different is another request, an answer
// about one request never falls on another, and a policy that comes into force is not overridden by
// an approval.

import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { connectTls } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";

const MINUTE = 60_000;

const policyOf = (port: number, protocol = "generic") => `
${protocol}:
  inspect: ["localhost:${port}"]
  default: escalate
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`;

async function start(protocol = "generic"): Promise<{ origin: RawOrigin; daemon: Daemon } & AsyncDisposable> {
  const origin = await startRawOrigin();
  const daemon = await startDaemon({ trust: [origin], policy: policyOf(origin.port, protocol) });
  return {
    origin,
    daemon,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

const connect = (daemon: Daemon, origin: RawOrigin) =>
  connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });

function request(origin: RawOrigin, head: string, fields: readonly string[], body = ""): string {
  const lines = [`Host: localhost:${origin.port}`, ...fields];
  if (body !== "") lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${head} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** Sends a request that is held, and leaves; the id that it had. */
async function leave(
  { daemon, origin }: { daemon: Daemon; origin: RawOrigin },
  bytes: string,
): Promise<string> {
  const client = await connect(daemon, origin);
  client.send(bytes);
  const [approval] = await daemon.pending();
  client[Symbol.dispose]();
  await daemon.rowsWhen((rows) => rows.some((row) => row.fields.outcome === "withdrawn"));
  return approval?.id ?? "";
}

describe("a late allow lets through only the request that was shown; another is asked about when it has another", () => {
  const PAIRS: readonly (readonly [string, readonly [string, string]])[] = [
    [
      "source of a copy",
      ["x-amz-copy-source: /public/logo.png", "x-amz-copy-source: /private/customer-db.sql"],
    ],
    ["destination", ["Destination: /a", "Destination: /b"]],
    ["precondition", ['If-Match: "1"', 'If-Match: "2"']],
    ["range", ["Range: bytes=0-1", "Range: bytes=0-"]],
    ["project", ["X-Goog-User-Project: a", "X-Goog-User-Project: b"]],
    ["content type", ["Content-Type: text/plain", "Content-Type: text/html"]],
    ["field that nobody knows", ["X-Whatever: 1", "X-Whatever: 2"]],
    ["credential", ["X-Vault-Token: A", "X-Vault-Token: B"]],
    ["identity to act as", ["Impersonate-User: a", "Impersonate-User: admin"]],
    ["number of such fields", ["X-A: 1", "X-A: 1\r\nX-A: 1"]],
  ];
  for (const [what, [shown, other]] of PAIRS)
    test(what, async () => {
      await using both = await start();
      const { daemon, origin } = both;
      const id = await leave(both, request(origin, "PUT /thing", [shown]));
      await daemon.control.call("approvals_allow", { id });
      using client = await connect(daemon, origin);
      client.send(request(origin, "PUT /thing", [other]));
      const [asked] = await daemon.pending();
      expect(asked?.id).not.toBe(id);
      expect(origin.text).toBe("");
      // The request that was shown passes, once.
      using again = await connect(daemon, origin);
      again.send(request(origin, "PUT /thing", [shown]));
      await again.until("200 OK");
    }, 120_000);

  test("trailer", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    const chunked = (sum: string) =>
      `${request(origin, "PUT /thing", ["Transfer-Encoding: chunked", "Trailer: Content-Digest"])}1\r\na\r\n0\r\nContent-Digest: ${sum}\r\nX-Vault-Token: admin\r\n\r\n`;
    const id = await leave(both, chunked("1"));
    await daemon.control.call("approvals_allow", { id });
    using client = await connect(daemon, origin);
    client.send(chunked("2"));
    const [asked] = await daemon.pending();
    expect(asked?.id).not.toBe(id);
    const { approval } = await daemon.control.call("approvals_show", { id: asked?.id ?? "" });
    expect(approval.trailers).toEqual([["Content-Digest", "2"]]);
    await daemon.control.call("approvals_allow", { id: approval.id });
    await client.until("200 OK");
    // A field that is not on the short list was not shown, and does not arrive.
    expect(origin.text).toContain("Content-Digest: 2");
    expect(origin.text).not.toContain("X-Vault-Token");
  }, 120_000);
});

test("what changes from try to try does not make another request", async () => {
  await using both = await start();
  const { daemon, origin } = both;
  const attempt = (n: number) =>
    request(origin, "DELETE /thing", [
      "Authorization: Bearer t",
      `Date: Mon, 0${n} Jan 2026 00:00:00 GMT`,
      `X-Request-Id: r${n}`,
      `Traceparent: 00-${n}`,
      `User-Agent: a/${n}`,
      `Amz-Sdk-Request: attempt=${n}`,
    ]);
  const id = await leave(both, attempt(1));
  await daemon.control.call("approvals_allow", { id });
  using client = await connect(daemon, origin);
  client.send(attempt(2));
  await client.until("200 OK");
}, 120_000);

test("an id that was withdrawn is not taken over by a request that looks different", async () => {
  await using both = await start();
  const { daemon, origin } = both;
  const id = await leave(both, request(origin, "MOVE /thing", ["Destination: /a"]));
  using client = await connect(daemon, origin);
  client.send(request(origin, "MOVE /thing", ["Destination: /b"]));
  const [asked] = await daemon.pending();
  expect(asked?.id).not.toBe(id);
}, 120_000);

test("an answer with the digest of another request fails, and answers nothing", async () => {
  await using both = await start();
  const { daemon, origin } = both;
  using one = await connect(daemon, origin);
  one.send(request(origin, "DELETE /one", []));
  const [shown] = await daemon.pending();
  using two = await connect(daemon, origin);
  two.send(request(origin, "DELETE /two", []));
  const other = (await daemon.pending(2)).find(({ id }) => id !== shown?.id);
  expect(shown?.digest).toMatch(/^[0-9a-f]{32}$/);
  const wrong = { id: other?.id ?? "", digest: shown?.digest ?? "" };
  await expect(daemon.control.call("approvals_allow", wrong)).rejects.toThrow(
    /not the request that was shown/,
  );
  await expect(daemon.control.call("approvals_deny", wrong)).rejects.toThrow(
    /not the request that was shown/,
  );
  expect(await daemon.pending(2)).toHaveLength(2);
  expect(origin.text).toBe("");
  await daemon.control.call("approvals_allow", { id: other?.id ?? "", digest: other?.digest ?? "" });
  await two.until("200 OK");
  expect(origin.text).not.toContain("/one");
}, 120_000);

describe("a grant", () => {
  test("covers no other credential, whatever field it is in", async () => {
    const CARRIERS: readonly ((who: string) => readonly [string, readonly string[]])[] = [
      (who) => ["DELETE /thing", [`X-Vault-Token: ${who}`]],
      (who) => ["DELETE /thing", [`X-Consul-Token: ${who}`]],
      (who) => ["DELETE /thing", [`Ocp-Apim-Subscription-Key: ${who}`]],
      (who) => [`DELETE /thing?access_token=${who}`, []],
      (who) => ["DELETE /thing", ["Authorization: Bearer same", `Impersonate-User: ${who}`]],
    ];
    await using both = await start();
    const { daemon, origin } = both;
    for (const carrier of CARRIERS) {
      using client = await connect(daemon, origin);
      client.send(request(origin, ...carrier("a")));
      const [approval] = await daemon.pending();
      await daemon.control.call("approvals_allow", { id: approval?.id ?? "", for_ms: MINUTE });
      await client.until("200 OK");
      client.send(request(origin, ...carrier("a")));
      await client.until("200 OK", 2);
      client.send(request(origin, ...carrier("b")));
      const [asked] = await daemon.pending();
      await daemon.control.call("approvals_deny", { id: asked?.id ?? "" });
      await client.until("403 ");
    }
  }, 120_000);

  test("is not given for a request without a credential", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    using client = await connect(daemon, origin);
    client.send(request(origin, "DELETE /thing", []));
    const [approval] = await daemon.pending();
    const id = approval?.id ?? "";
    expect((await daemon.control.call("approvals_show", { id })).approval.grantable).toBe(false);
    const allow = daemon.control.call("approvals_allow", { id, for_ms: MINUTE });
    await expect(allow).rejects.toThrow(/can only be approved once: it carries no credential/);
    await daemon.control.call("approvals_allow", { id });
    await client.until("200 OK");
  }, 120_000);

  test("covers nothing of a higher tier than what was approved", async () => {
    await using both = await start("github");
    const { daemon, origin } = both;
    using client = await connect(daemon, origin);
    const patch = (body: string) =>
      request(
        origin,
        "PATCH /api/v3/repos/o/r",
        ["Authorization: Bearer t", "Content-Type: application/json"],
        body,
      );
    client.send(patch('{"description":"x"}'));
    const [approval] = await daemon.pending();
    await daemon.control.call("approvals_allow", { id: approval?.id ?? "", for_ms: MINUTE });
    await client.until("200 OK");
    client.send(patch('{"description":"y"}'));
    await client.until("200 OK", 2);
    client.send(patch('{"visibility":"public"}'));
    const [asked] = await daemon.pending();
    expect(asked?.tier).not.toBe(approval?.tier ?? "");
    expect(origin.text).not.toContain("visibility");
  }, 120_000);
});

describe("a policy that comes into force while a request waits", () => {
  const DENY = (port: number) =>
    `generic:\n  inspect: ["localhost:${port}"]\n  default: deny\n  groups: { read: { tiers: [observe] } }\n  rules: { allow: { groups: [read] } }\n`;

  test("refuses it at once when it denies it", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    using client = await connect(daemon, origin);
    client.send(request(origin, "DELETE /thing", []));
    const [approval] = await daemon.pending();
    await writeFile(join(daemon.home, "policy.yaml"), DENY(origin.port));
    await daemon.control.call("policy_reload", {});
    expect(await client.until('"outcome"')).toMatch(
      /^HTTP\/1\.1 403 [\s\S]*the policy changed while it waited/,
    );
    const allow = daemon.control.call("approvals_allow", { id: approval?.id ?? "" });
    await expect(allow).rejects.toThrow(/no pending approval/);
    const rows = await daemon.rowsWhen((all) => all.some((row) => row.op === "block"));
    expect(rows.find((row) => row.op === "block")?.fields).toMatchObject({
      outcome: "refused",
      decision: "deny",
    });
    expect(origin.text).toBe("");
  }, 120_000);

  test("leaves it with the person when it still asks", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    using client = await connect(daemon, origin);
    client.send(request(origin, "DELETE /thing", []));
    const [approval] = await daemon.pending();
    await writeFile(join(daemon.home, "policy.yaml"), `${policyOf(origin.port)}# the same\n`);
    await daemon.control.call("policy_reload", {});
    await daemon.control.call("approvals_allow", { id: approval?.id ?? "" });
    await client.until("200 OK");
  }, 120_000);
});
