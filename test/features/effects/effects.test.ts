// The effects of held requests where nobody waits for a real cluster: APIs without dry run, objects
// that were made to do harm, and deletes whose own preconditions fit nothing. The upstream is a
// function, which also counts what it is asked.

import { describe, expect, test } from "bun:test";
import { Effects } from "../../../src/features/effects/effects.ts";
import type { HeldEffect } from "../../../src/gateway/cluster/held-effect.ts";
import type { SideCall } from "../../../src/gateway/upstream/ask.ts";
import { OUTSIDE } from "../../../src/model/agent-label.ts";
import type { Protocol } from "../../../src/model/protocol.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";

const parsed = parsePolicy(
  ["kubectl", "github", "cloudflare", "gcloud", "aws"]
    .map(
      (name) =>
        `${name}:\n  inspect: ["*.example.test"]\n  default: escalate\n  groups: { read: { tiers: [observe] } }\n  rules: { allow: { groups: [read] } }\n`,
    )
    .join(""),
);
if (!("policy" in parsed)) throw new Error(JSON.stringify(parsed));
const { policy } = parsed;

interface Asked {
  readonly protocol: Protocol;
  readonly host: string;
  readonly method: string;
  readonly target: string;
  readonly body?: unknown;
  readonly isRegistered?: boolean;
  /** The upstream's value at a path. */
  readonly live: (call: SideCall) => unknown;
}

function heldOf({ protocol, host, method, target, body, live, isRegistered = true }: Asked) {
  const calls: string[] = [];
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const effects = new Effects({
    settings: () => ({ effect_preview: "on", effect_pin: "on" }),
    policy: () => policy,
    isRegistered: () => isRegistered,
    log: () => {},
  });
  const effect = effects.of({
    request: {
      async ask(call) {
        calls.push(`${call.method} ${call.target}`);
        const value = live(call);
        const text = value === undefined ? "{}" : typeof value === "string" ? value : JSON.stringify(value);
        return { status: value === undefined ? 404 : 200, headers: [], body: Buffer.from(text) };
      },
    },
    judged: {
      ...{ method, host, port: 443, target },
      headers: [["Content-Type", method === "PATCH" ? "application/merge-patch+json" : "application/json"]],
      body: bytes === undefined ? { kind: "none" } : { kind: "whole", bytes },
    },
    sentTarget: target,
    protocols: [protocol],
    asker: OUTSIDE,
  });
  if (effect === undefined) throw new Error("there is no effect");
  return { effect, calls };
}

describe("an API without dry run", () => {
  const github = { protocol: "github", host: "api.github.com" } as const;
  test("a PATCH is shown beside what is there, and only fields that it names", async () => {
    const { effect, calls } = heldOf({
      ...github,
      method: "PATCH",
      target: "/repos/acme/web?x=1",
      body: { private: false, security: { scan: "off" } },
      live: () => ({ private: true, security: { scan: "on", other: 1 }, stars: 7 }),
    });
    expect(await effect.show()).toMatchObject({
      state: "shown",
      about: "changes 2 fields of /repos/acme/web",
      changes: [
        { sign: "~", path: "private", before: "true", after: "false" },
        { sign: "~", path: "security.scan", before: '"on"', after: '"off"' },
      ],
    });
    expect(calls).toEqual(["GET /repos/acme/web"]);
  });

  test("a PUT looks into Cloudflare's envelope, and says what is not there yet", async () => {
    const put = (live: unknown) =>
      heldOf({
        ...{ protocol: "cloudflare", host: "api.cloudflare.com", method: "PUT" },
        target:
          "/client/v4/zones/023e105f4ecef8ad9ca31a8372d0c353/dns_records/372e67954025e0ba6aaa6d586b9e0b59",
        body: { type: "A", content: "192.0.2.2" },
        live: () => live,
      }).effect.show();
    const there = await put({ success: true, result: { type: "A", content: "192.0.2.1", proxied: true } });
    expect(there.changes).toEqual([
      { sign: "~", path: "content", before: '"192.0.2.1"', after: '"192.0.2.2"' },
    ]);
    expect(there.notes).toContain("fields that it does not name may be set back");
    expect((await put(undefined)).about).toContain("which is not there now");
  });

  test("of everything else it is said that there is no preview, and nobody is asked", async () => {
    for (const [protocol, host, method, target] of [
      ["github", "api.github.com", "DELETE", "/repos/acme/web"],
      ["aws", "ec2.us-east-1.amazonaws.com", "POST", "/"],
      ["gcloud", "compute.googleapis.com", "POST", "/compute/v1/projects/p/zones/z/instances"],
    ] as const) {
      const { effect, calls } = heldOf({ protocol, host, method, target, body: {}, live: () => ({}) });
      const { state, about } = await effect.show();
      expect({ state, calls }).toEqual({ state: "none", calls: [] });
      expect(about).toContain("has no dry run of it");
    }
  });

  test("what the policy would not let the client read is not shown", async () => {
    const { effect, calls } = heldOf({
      ...{ ...github, method: "PUT", target: "/repos/acme/web/actions/secrets/KEY" },
      body: { encrypted_value: "x" },
      live: () => ({ name: "KEY" }),
    });
    const report = await effect.show();
    if (report.state === "shown") expect(calls).toEqual(["GET /repos/acme/web/actions/secrets/KEY"]);
    const token = heldOf({
      ...{ ...github, method: "PUT", target: "/app/installations/1/access_tokens" },
      body: {},
      live: () => ({ token: "ghs_canary" }),
    });
    expect(JSON.stringify(await token.effect.show())).not.toContain("canary");
    expect(token.calls).toEqual([]);
  });
});

const configMap = (more: object) => ({
  ...{ apiVersion: "v1", kind: "ConfigMap" },
  metadata: { name: "c", namespace: "a", uid: "u1", resourceVersion: "7" },
  ...more,
});
const kube = { protocol: "kubectl", host: "k.example.test" } as const;
const OBJECT = "/api/v1/namespaces/a/configmaps/c";

describe("an object that was made to do harm", () => {
  const patched = (data: unknown, text?: string) =>
    heldOf({
      ...{ ...kube, method: "PATCH", target: OBJECT, body: { data: { a: "2" } } },
      live: ({ method }) =>
        method === "GET" ? configMap({ data: { a: "1" } }) : (text ?? configMap({ data })),
    }).effect;
  const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  const long = "n".repeat(1_000_000);
  for (const [name, effect] of [
    ["names of a million letters before many fields", patched({ [long]: fields(400) })],
    ["a value of seven million letters", patched({ a: "v".repeat(7_000_000) })],
    ["a hundred thousand fields", patched(fields(100_000))],
    ["a hundred thousand levels", patched(undefined, deep(100_000))],
    ["members that every object has", patched(JSON.parse('{"__proto__":{"x":1},"constructor":{"y":2}}'))],
    ["no JSON", patched(undefined, "<html>")],
    ["a list", patched(undefined, "[]")],
  ] as const)
    test(`${name}: what is told stays small`, async () => {
      const report = await (effect as HeldEffect).show();
      expect(JSON.stringify(report).length).toBeLessThan(1_000_000);
      expect(["shown", "none"]).toContain(report.state);
      expect(Object.hasOwn(Object.prototype, "x")).toBe(false);
    });
});

function fields(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, "x"]));
}

test("fifty thousand fields are too many to compare, and that is said", async () => {
  const { effect } = heldOf({
    ...{ ...kube, method: "PATCH", target: OBJECT, body: { data: { a: "2" } } },
    live: ({ method }) => configMap({ data: method === "GET" ? { a: "1" } : fields(60_000) }),
  });
  expect(await effect.show()).toEqual({ state: "none", about: "it has more fields than iddio compares" });
});

test("a delete whose own preconditions name another object than the one that is there does not go", async () => {
  for (const [preconditions, isReleased] of [
    [undefined, true],
    [{ uid: "u1" }, true],
    [{ resourceVersion: "8" }, false],
    [{ uid: "u2" }, false],
  ] as const) {
    const { effect } = heldOf({
      ...{ ...kube, method: "DELETE", target: OBJECT },
      body: { kind: "DeleteOptions", apiVersion: "v1", ...(preconditions ? { preconditions } : {}) },
      live: ({ target }) => (target.startsWith(OBJECT) ? configMap({}) : undefined),
    });
    await effect.show();
    const release = await effect.release(effect);
    expect({ preconditions, isReleased: release.kind === "go" }).toEqual({ preconditions, isReleased });
    if (release.kind === "go")
      expect(JSON.parse(Buffer.from(release.replaced ?? []).toString()).preconditions).toEqual({
        uid: "u1",
        resourceVersion: "7",
      });
  }
});

test("a body that is computed here and is no JSON has no preview, and that is said", async () => {
  const held = heldOf({
    ...{ ...kube, method: "POST", target: "/api/v1/namespaces/a/secrets", body: "k8s\u0000\n\u0001{:" },
    live: () => undefined,
  });
  const { state, about } = await held.effect.show();
  expect(state).toBe("none");
  expect(about).toContain("iddio cannot tell its changes from the body");
});

test("a cluster that nobody registered is not asked", async () => {
  const { effect, calls } = heldOf({
    ...{ ...kube, method: "PATCH", target: OBJECT, body: { data: { a: "2" } }, isRegistered: false },
    live: () => configMap({}),
  });
  expect((await effect.show()).about).toContain("is not registered");
  expect(calls).toEqual([]);
});
