// The dependents that go with an object, and effects that cannot be told, on an API server of a few
// lines: namespace, custom resource definition, claim, collection, eviction; webhooks with effects
// of their own. It fails at the first request that could change anything.

import { describe, expect, test } from "bun:test";
import { Effects } from "../../../src/features/effects/effects.ts";
import { previewEffect } from "../../../src/features/effects/preview.ts";
import type { HeldEffect } from "../../../src/gateway/cluster/held-effect.ts";
import { ClusterReader } from "../../../src/gateway/cluster/reader.ts";
import type { SideCall } from "../../../src/gateway/upstream/ask.ts";
import { OUTSIDE } from "../../../src/model/agent-label.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import { planEffect } from "../../../src/protocols/kubectl/effect/plan.ts";

const parsed = parsePolicy(
  'kubectl:\n  inspect: ["*.example.test"]\n  default: escalate\n  groups: { read: { tiers: [observe] } }\n  rules: { allow: { groups: [read] } }\n',
);
if (!("policy" in parsed)) throw new Error(JSON.stringify(parsed));
const { policy } = parsed;

const all = ["list", "watch", "delete", "get"];
const served = (resource: string, kind: string, scope = "Namespaced") => ({
  ...{ resource, scope, verbs: all },
  responseKind: { kind },
});
const document = (groups: Record<string, object[]>) => ({
  kind: "APIGroupDiscoveryList",
  items: Object.entries(groups).map(([name, resources]) => ({
    metadata: { name },
    versions: [{ version: "v1", resources }],
  })),
});
const CORE = document({
  "": [
    served("namespaces", "Namespace", "Cluster"),
    served("persistentvolumes", "PersistentVolume", "Cluster"),
    served("configmaps", "ConfigMap"),
    served("persistentvolumeclaims", "PersistentVolumeClaim"),
    served("pods", "Pod"),
  ],
});
const GROUPS = document({
  "apiextensions.k8s.io": [served("customresourcedefinitions", "CustomResourceDefinition", "Cluster")],
  "example.org": [served("widgets", "Widget")],
});

interface Thing {
  readonly path: string;
  readonly object: Record<string, unknown>;
}

const thing = (path: string, kind: string, uid: string, more: object = {}, metadata: object = {}): Thing => {
  const namespace = /\/namespaces\/([^/]+)\/[^/]+\/[^/]+$/.exec(path)?.[1];
  const name = path.slice(path.lastIndexOf("/") + 1);
  return {
    path,
    object: {
      ...{ apiVersion: "v1", kind },
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        uid,
        resourceVersion: "5",
        ...metadata,
      },
      ...more,
    },
  };
};

/** Answers reads; a dry run is answered by `dryRun`. Anything else is a failure of the test. */
function api(things: readonly Thing[], dryRun: (call: SideCall) => unknown) {
  const writes: string[] = [];
  const ask = async (call: SideCall) => {
    const [path = "", query = ""] = call.target.split("?");
    const body = Buffer.from(call.body ?? []).toString();
    const isDry =
      call.method === "DELETE"
        ? /"dryRun":\["All"\]/.test(body)
        : new URLSearchParams(query).get("dryRun") === "All";
    if (call.method !== "GET" && !isDry) writes.push(`${call.method} ${call.target}`);
    if (call.method === "DELETE" && body === "") writes.push(`${call.method} without a body`);
    const value = call.method === "GET" ? read(path) : dryRun(call);
    const status = value === undefined ? 404 : ((value as { code?: number }).code ?? 200);
    return { status, headers: [], body: Buffer.from(JSON.stringify(value ?? {})) };
  };
  const read = (path: string): unknown => {
    if (path === "/api") return CORE;
    if (path === "/apis") return GROUPS;
    const own = things.find((each) => each.path === path);
    if (own !== undefined) return own.object;
    const match = /^(\/api\/v1|\/apis\/[^/]+\/v1)(?:\/namespaces\/([^/]+))?\/([a-z]+)$/.exec(path);
    if (match === null) return undefined;
    const [, root = "", namespace, resource = ""] = match;
    const items = things
      .filter((each) => each.path.startsWith(`${root}/`) && each.path.split("/").at(-2) === resource)
      .filter((each) => namespace === undefined || each.path.includes(`/namespaces/${namespace}/`))
      .map(({ object }) => object);
    return { kind: "PartialObjectMetadataList", metadata: {}, items };
  };
  return { ask, writes };
}

function held(
  things: readonly Thing[],
  method: string,
  target: string,
  {
    body,
    pin = "on",
    dryRun = () => ({}),
  }: { body?: object; pin?: "on" | "off"; dryRun?: (call: SideCall) => unknown } = {},
) {
  const { ask, writes } = api(things, dryRun);
  const bytes = body && Buffer.from(JSON.stringify(body));
  const effect = new Effects({
    settings: () => ({ effect_preview: "on", effect_pin: pin }),
    policy: () => policy,
    isRegistered: () => true,
    log: () => {},
  }).of({
    request: { ask },
    judged: {
      ...{ method, host: "k.example.test", port: 443, target },
      headers: [["Content-Type", method === "PATCH" ? "application/merge-patch+json" : "application/json"]],
      body: bytes === undefined ? { kind: "none" } : { kind: "whole", bytes },
    },
    sentTarget: target,
    protocols: ["kubectl"],
    asker: OUTSIDE,
  }) as HeldEffect;
  return { effect, writes };
}

const owned = (uid: string, controller = false) => ({
  ownerReferences: [{ uid, controller, kind: "X", name: "x" }],
});
const volume = (policyOf: string) =>
  thing("/api/v1/persistentvolumes/pv1", "PersistentVolume", "v1", {
    spec: { persistentVolumeReclaimPolicy: policyOf },
  });
const claim = (spec: object = { volumeName: "pv1" }) =>
  thing("/api/v1/namespaces/a/persistentvolumeclaims/data", "PersistentVolumeClaim", "c1", { spec });

const SHOP: readonly Thing[] = [
  thing("/api/v1/namespaces/a", "Namespace", "n1"),
  thing("/api/v1/namespaces/a/configmaps/one", "ConfigMap", "m1", {}, { labels: { set: "c" } }),
  thing("/api/v1/namespaces/a/configmaps/two", "ConfigMap", "m2", {}, owned("m1")),
  thing("/api/v1/namespaces/b/configmaps/other", "ConfigMap", "m3"),
  thing("/api/v1/namespaces/a/pods/web", "Pod", "p1", {}, owned("w1", true)),
  thing(
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.org",
    "CustomResourceDefinition",
    "d1",
    {
      spec: { group: "example.org", names: { plural: "widgets" } },
    },
  ),
  thing("/apis/example.org/v1/namespaces/a/widgets/w", "Widget", "w1"),
  thing("/apis/example.org/v1/namespaces/b/widgets/w", "Widget", "w2"),
  claim(),
];
const NAMESPACE = "/api/v1/namespaces/a";
const CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.org";
const CLAIM = "/api/v1/namespaces/a/persistentvolumeclaims/data";

describe("what goes with a deleted object", () => {
  for (const [name, things, method, target, body, kinds, text] of [
    [
      "a namespace: all that is in it, and nothing of another",
      SHOP,
      "DELETE",
      NAMESPACE,
      undefined,
      { Namespace: 1, ConfigMap: 2, Pod: 1, Widget: 1, PersistentVolumeClaim: 1 },
      "1 claim of a volume among them",
    ],
    [
      "a custom resource definition: its objects everywhere, and what they own",
      SHOP,
      "DELETE",
      CRD,
      undefined,
      { CustomResourceDefinition: 1, Widget: 2, Pod: 1 },
      "3 objects that depend on it",
    ],
    [
      "an object whose dependents stay",
      SHOP,
      "DELETE",
      "/api/v1/namespaces/a/configmaps/one",
      { propagationPolicy: "Orphan" },
      { ConfigMap: 1 },
      "1 dependent object would stay, without an owner",
    ],
    [
      "a selection",
      SHOP,
      "DELETE",
      "/api/v1/namespaces/a/configmaps?labelSelector=set%3Dc",
      undefined,
      { configmaps: 2 },
      "those chosen by its selector, 2 now",
    ],
    [
      "an eviction",
      SHOP,
      "POST",
      "/api/v1/namespaces/a/pods/web/eviction",
      {},
      { Pod: 1 },
      "X 'x' controls it and may make another",
    ],
    [
      "a claim whose volume goes",
      [...SHOP, volume("Delete")],
      "DELETE",
      CLAIM,
      undefined,
      undefined,
      "'pv1' and the data on it are deleted (Delete); that cannot be undone",
    ],
    [
      "a claim whose volume stays",
      [...SHOP, volume("Retain")],
      "DELETE",
      CLAIM,
      undefined,
      undefined,
      "'pv1' stays (Retain)",
    ],
    ["a claim without a volume", [claim({})], "DELETE", CLAIM, undefined, undefined, "it has no volume yet"],
  ] as const)
    test(name, async () => {
      const { effect, writes } = held(things, method, target, body === undefined ? {} : { body });
      const report = await effect.show();
      expect(report.state).toBe("shown");
      if (kinds !== undefined) expect(report.removed_kinds).toEqual(kinds);
      expect([report.about, ...(report.notes ?? [])].join("\n")).toContain(text);
      expect(writes).toEqual([]);
    });
});

test("five thousand dependants are counted from their metadata, a page at a time; two hundred are named", async () => {
  const many = Array.from({ length: 5_000 }, (_, at) =>
    thing(`/api/v1/namespaces/a/configmaps/child-${at}`, "ConfigMap", `x${at}`, {}, owned("m1")),
  );
  const { ask, writes } = api([...SHOP, ...many], () => ({}));
  const judged = {
    ...{ method: "DELETE", host: "k.example.test", port: 443, target: "/api/v1/namespaces/a/configmaps/one" },
    headers: [],
    body: { kind: "none" } as const,
  };
  const reader = new ClusterReader({
    ...{ request: { ask }, judged, sentPrefix: "", protocols: ["kubectl"], asker: OUTSIDE },
    policy: () => policy,
    // The three seconds of a look are for a machine that has nothing else to do.
    signal: new AbortController().signal,
  });
  const { report } = await previewEffect(planEffect(judged), reader);
  expect({ total: report.removed_total, named: report.removed?.length, writes }).toEqual({
    ...{ total: 5_002, named: 200, writes: [] },
  });
});

describe("what cannot be told is said", () => {
  const body = { data: { a: "2" } };
  const one = "/api/v1/namespaces/a/configmaps/one";
  for (const [name, method, target, more, text] of [
    [
      "a webhook with effects of its own",
      "PATCH",
      one,
      {
        body,
        dryRun: () => ({
          code: 400,
          message: 'admission webhook "effects.example.org" does not support dry run',
        }),
      },
      "the webhook 'effects.example.org' has effects of its own: the API server neither calls it in a dry run nor makes one",
    ],
    [
      "what the API server would refuse",
      "PATCH",
      one,
      { body, dryRun: () => ({ code: 422, message: "data is immutable" }) },
      "refuses it in a dry run, so it would refuse it: the API server answered 422: data is immutable",
    ],
    ["a connection", "POST", "/api/v1/namespaces/a/pods/web/exec?command=ls", {}, "opens a connection"],
    ["a query that speaks of a dry run", "PATCH", `${one}?dryrun=x`, { body }, "already speaks of a dry run"],
    ["an object that is not there", "DELETE", "/api/v1/namespaces/a/configmaps/gone", {}, "does not exist"],
  ] as const)
    test(name, async () => {
      const { effect, writes } = held(SHOP, method, target, more);
      const report = await effect.show();
      expect(report.state).toBe("none");
      expect(report.about).toContain(text);
      expect(writes).toEqual([]);
    });

  test("of a delete, which is seen without a dry run, it is said that a webhook's effects are not shown", async () => {
    const message = 'admission webhook "effects.example.org" does not support dry run';
    const { effect, writes } = held(SHOP, "DELETE", one, { dryRun: () => ({ code: 400, message }) });
    const report = await effect.show();
    expect(report).toMatchObject({ state: "shown", removed_total: 2 });
    expect(report.notes).toContain(
      "the webhook 'effects.example.org' has effects of its own, which are not shown: the API server does not call it in a dry run",
    );
    expect(writes).toEqual([]);
  });

  test("break-glass kinds and custom resources are computed here: nothing but reads is sent", async () => {
    for (const [target, things] of [
      [CRD, SHOP],
      ["/apis/example.org/v1/namespaces/a/widgets/w", SHOP],
      [
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/r",
        [thing("/apis/rbac.authorization.k8s.io/v1/clusterroles/r", "ClusterRole", "r1")],
      ],
    ] as const) {
      let dry = 0;
      const { effect, writes } = held(things, "PATCH", target, {
        body: { spec: { more: 1 } },
        dryRun: () => {
          dry += 1;
          return {};
        },
      });
      const report = await effect.show();
      expect(report.state).toBe("shown");
      expect(report.notes?.join()).toContain("computed by iddio");
      expect({ writes, dry }).toEqual({ writes: [], dry: 0 });
    }
  });
});

describe("what was shown is what runs", () => {
  const one = "/api/v1/namespaces/a/configmaps/one";
  const changing = (values: string[]) => ({
    body: { data: { a: "2" } },
    dryRun: () => ({ ...SHOP[1]?.object, data: { a: values.shift() ?? "last" } }),
  });
  for (const [name, more, expected] of [
    ["the same in the second dry run goes", changing(["2", "2"]), "go"],
    ["another value is asked about again", changing(["2", "3"]), "changed"],
    [
      "unless the setting says that nothing is compared",
      { ...changing(["2", "3"]), pin: "off" as const },
      "go",
    ],
  ] as const)
    test(name, async () => {
      const { effect, writes } = held(SHOP, "PATCH", one, more);
      await effect.show();
      expect((await effect.release(effect)).kind).toBe(expected);
      expect(writes).toEqual([]);
    });

  test("a selection that chooses others by now is asked about again", async () => {
    const things = [...SHOP];
    const { effect } = held(things, "DELETE", "/api/v1/namespaces/a/configmaps?labelSelector=set%3Dc");
    await effect.show();
    expect((await effect.release(effect)).kind).toBe("go");
    things.push(thing("/api/v1/namespaces/a/configmaps/three", "ConfigMap", "m9"));
    expect(await effect.release(effect)).toEqual({
      kind: "changed",
      why: "other objects are chosen by now than were shown",
    });
  });
});
