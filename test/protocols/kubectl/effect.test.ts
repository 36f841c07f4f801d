// How the effect of a request may be looked at, as a table, and that every dry run is one to the
// classifier too; then what differs between two objects.

import { describe, expect, test } from "bun:test";
import type { Header, RequestBody } from "../../../src/model/request.ts";
import { kubectlClassifier } from "../../../src/protocols/kubectl/classify.ts";
import { diffObjects } from "../../../src/protocols/kubectl/effect/diff.ts";
import { normalise } from "../../../src/protocols/kubectl/effect/normalise.ts";
import { collect, type Member } from "../../../src/protocols/kubectl/effect/owners.ts";
import { planEffect } from "../../../src/protocols/kubectl/effect/plan.ts";

const bytes = (value: unknown): RequestBody => ({
  kind: "whole",
  bytes: new TextEncoder().encode(JSON.stringify(value)),
});
const request = (
  method: string,
  target: string,
  body: RequestBody = { kind: "none" },
  headers: Header[] = [],
) => ({
  method,
  host: "c",
  port: 443,
  target,
  headers: [["Content-Type", "application/json"] as const, ...headers],
  body,
});
const CM = "/api/v1/namespaces/n/configmaps/a";

describe("what may be asked", () => {
  const ROWS: readonly (readonly [string, string, RequestBody, string])[] = [
    ["PUT", CM, bytes({}), "dry run"],
    ["PATCH", CM, bytes({}), "dry run"],
    ["POST", "/api/v1/namespaces/n/configmaps", bytes({}), "dry run"],
    ["DELETE", CM, { kind: "none" }, "dry run"],
    ["DELETE", CM, bytes({ propagationPolicy: "Orphan" }), "dry run"],
    ["PATCH", "/apis/apps/v1/namespaces/n/deployments/a/scale", bytes({}), "dry run"],
    ["PUT", "/apis/rbac.authorization.k8s.io/v1/clusterroles/a", bytes({}), "local"],
    ["PUT", "/api/v1/namespaces/n/secrets/a", bytes({}), "local"],
    ["PUT", "/apis/example.org/v1/namespaces/n/widgets/a", bytes({}), "local"],
    ["DELETE", "/api/v1/namespaces/n", { kind: "none" }, "read"],
    ["PUT", `${CM}?dryRun=All`, bytes({}), "none"],
    ["PUT", `${CM}?dryrun=All`, bytes({}), "none"],
    ["PUT", `${CM}?DryRun=`, bytes({}), "none"],
    ["PUT", `${CM}?dry%52un=All`, bytes({}), "none"],
    ["DELETE", `${CM}?dry_run=All`, { kind: "none" }, "none"],
    ["PUT", `${CM}?a=%zz`, bytes({}), "none"],
    ["PUT", CM, { kind: "unread", why: "it is large" }, "none"],
    ["POST", "/api/v1/namespaces/n/pods/p/exec?command=ls", { kind: "none" }, "none"],
    ["POST", "/api/v1/namespaces/n/serviceaccounts/a/token", bytes({}), "none"],
    ["PUT", "/api/v1/namespaces/n/pods/p/binding", bytes({}), "none"],
    ["DELETE", "/api/v1/namespaces/n/configmaps?labelSelector=a%3Db", { kind: "none" }, "list"],
    ["DELETE", "/api/v1/namespaces/n/configmaps?shard=1", { kind: "none" }, "none"],
    ["PUT", "/api/v1/namespaces/n/configmaps/..%2fa", bytes({}), "none"],
  ];
  for (const [method, target, body, expected] of ROWS)
    test(`${method} ${target} by ${expected}`, () => {
      const plan = planEffect(request(method, target, body));
      const way =
        plan.kind === "none"
          ? "none"
          : plan.kind === "delete-collection"
            ? "list"
            : plan.dryRun !== undefined
              ? "dry run"
              : plan.kind === "delete"
                ? "read"
                : "local";
      expect(way).toBe(expected);
      if (plan.kind !== "write" && plan.kind !== "delete") return;
      const { dryRun } = plan;
      if (dryRun === undefined) return;
      const sent = request(
        dryRun.method,
        dryRun.target,
        dryRun.body && { kind: "whole", bytes: dryRun.body },
      );
      expect(kubectlClassifier.classify(sent).tier).toBe("observe");
    });

  test("a request that names another method in a field is not looked at", () => {
    expect(planEffect(request("PUT", CM, bytes({}), [["X-HTTP-Method-Override", "DELETE"]])).kind).toBe(
      "none",
    );
  });
});

describe("what differs", () => {
  test("lists of named things are compared by name", () => {
    const of = (image: string, ...more: object[]) => ({
      spec: { containers: [...more, { name: "app", image }] },
    });
    expect(diffObjects(of("a:1"), of("a:2", { name: "side", image: "s" })).changes).toEqual([
      { sign: "~", path: "spec.containers[app].image", before: '"a:1"', after: '"a:2"' },
      { sign: "+", path: "spec.containers[side].name", after: '"side"' },
      { sign: "+", path: "spec.containers[side].image", after: '"s"' },
    ]);
  });

  test("a secret that changes is a line, and its values are hidden", () => {
    const of = (data: string) => ({ kind: "Secret", data: { password: data } });
    const { changes } = diffObjects(of("b25l"), of("dHdv"));
    expect(changes).toEqual([{ sign: "~", path: "data.password", before: '"***"', after: '"***"' }]);
  });

  test("what the server sets by itself is no difference", () => {
    const of = (version: string, replicas: number) => ({
      metadata: { name: "a", uid: version, resourceVersion: version, managedFields: [{ manager: version }] },
      spec: { replicas },
      status: { observedGeneration: Number(version) },
    });
    expect(diffObjects(normalise(of("1", 3)), normalise(of("2", 3))).changes).toEqual([]);
  });

  test("a hostile object is bounded in depth and number", () => {
    let deep: Record<string, unknown> = {};
    for (let level = 0; level < 5_000; level += 1) deep = { __proto__x: deep };
    expect(diffObjects({}, deep).changes.length).toBeLessThanOrEqual(1);
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, index]));
    const { changes, more } = diffObjects({}, wide);
    expect(changes).toHaveLength(400);
    expect(more).toBe(99_600);
  });
});

describe("what goes with a deleted object", () => {
  const kind = { group: "", version: "v1", resource: "pods", kind: "Pod", isNamespaced: true };
  const of = (uid: string, ...owners: string[]): Member => ({
    kind,
    namespace: "n",
    name: uid,
    uid,
    owners,
    hasFinalizers: false,
    isControlled: false,
  });
  const gone = (...members: Member[]) => collect(new Set(["root"]), members).removed.map(({ uid }) => uid);

  test("owners are followed to the end", () => {
    expect(gone(of("b", "a"), of("a", "root"), of("x", "y"))).toEqual(["a", "b"]);
  });
  test("anyone who has another owner stays, until that goes too", () => {
    expect(gone(of("a", "root", "other"))).toEqual([]);
    expect(gone(of("b", "root"), of("a", "root", "b"))).toEqual(["b", "a"]);
  });
  test("owners in a circle end", () => {
    expect(gone(of("a", "root", "b"), of("b", "a"))).toEqual([]);
    expect(gone(of("a", "root"), of("b", "a", "c"), of("c", "b"))).toEqual(["a"]);
  });
});
