// The kept objects of a change, and how it is taken back, on an API server of a few lines: what a
// change left is what its own answer said, a definition comes back with its objects, and what may
// not be kept is not.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { UndoEntry } from "../../../src/api/undo-report.ts";
import { undoSteps } from "../../../src/features/undo/apply-undo.ts";
import type { ClusterOfEntry } from "../../../src/features/undo/cluster-of-entry.ts";
import { Undo } from "../../../src/features/undo/undo.ts";
import { UndoStore } from "../../../src/features/undo/undo-store.ts";
import { BytesBody } from "../../../src/gateway/message/bytes-body.ts";
import { OUTSIDE } from "../../../src/model/agent-label.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import type { ObjectFields } from "../../../src/protocols/kubectl/effect/normalise.ts";
import { madeUpAsk, madeUpOperation } from "../../support/policy/ask.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const parsed = parsePolicy('kubectl:\n  inspect: ["*.example.test"]\n  default: deny\n');
if (!("policy" in parsed)) throw new Error(JSON.stringify(parsed));
const { policy } = parsed;
let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
let number = 0;

beforeAll(async () => {
  folder = await temporaryDirectory();
});
afterAll(() => folder[Symbol.asyncDispose]());

const object = (
  kind: string,
  name: string,
  uid: string,
  more: object = {},
  metadata: object = {},
): ObjectFields => ({
  ...{ apiVersion: "v1", kind },
  metadata: { name, namespace: "a", uid, resourceVersion: "5", ...metadata },
  ...more,
});
const MAP = "/api/v1/namespaces/a/configmaps/one";
const CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.org";

/** A cluster that has these objects by path. */
function cluster(objects: Record<string, ObjectFields>) {
  const settings = { undo: "on", undo_failure: "closed", undo_keep: "7d", undo_secrets: "off" } as const;
  number += 1;
  const store = new UndoStore(join(folder.path, `u${number}`), join(folder.path, "undo.key"));
  const made = (more: Partial<Record<keyof typeof settings, string>> = {}, isRegistered = true) =>
    new Undo({
      store,
      settings: () => ({ ...settings, ...more }) as never,
      policy: () => policy,
      isRegistered: () => isRegistered,
      log: () => {},
    });
  const keep = async (
    undo: Undo,
    method: string,
    target: string,
    { answer, tier = "modify" as const }: { answer?: unknown; tier?: "modify" | "break-glass" } = {},
  ) => {
    const kept = await undo.keep(madeUpAsk({ operation: madeUpOperation({ tier, protocol: "kubectl" }) }), {
      request: {
        async ask(call) {
          if (call.method !== "GET") throw new Error(`${call.method} was sent`);
          const [path = ""] = call.target.split("?");
          const value = objects[path] ?? listOf(objects, path);
          const status = value === undefined ? 404 : 200;
          return { status, headers: [], body: Buffer.from(JSON.stringify(value ?? {})) };
        },
      },
      judged: { method, host: "k.example.test", port: 443, target, headers: [], body: { kind: "none" } },
      sentTarget: target,
      protocols: ["kubectl"],
      asker: OUTSIDE,
    });
    if (kept === undefined || typeof kept === "string") return kept;
    const ended = kept.ended(answer === undefined ? 500 : 200);
    if (answer !== undefined) {
      const bytes = answer instanceof Uint8Array ? answer : Buffer.from(JSON.stringify(answer));
      const body = new BytesBody(bytes);
      const watched = kept.answered({
        ...{ status: 200, statusText: "OK", headers: [], body, upgraded: undefined },
        finish() {},
      });
      while ((await watched.body.next()) !== undefined);
      watched.finish();
    }
    await ended;
    return (await store.list())[0];
  };
  return { made, keep, store };
}

function listOf(objects: Record<string, ObjectFields>, path: string): unknown {
  const served = (resource: string, kind: string, scope: string) => ({
    ...{ resource, scope, verbs: ["list", "watch", "delete"], responseKind: { kind } },
  });
  const group = (name: string, resources: object[]) => ({
    metadata: { name },
    versions: [{ version: "v1", resources }],
  });
  if (path === "/api")
    return {
      kind: "APIGroupDiscoveryList",
      items: [group("", [served("configmaps", "ConfigMap", "Namespaced")])],
    };
  if (path === "/apis")
    return {
      kind: "APIGroupDiscoveryList",
      items: [group("example.org", [served("widgets", "Widget", "Namespaced")])],
    };
  const at = path.lastIndexOf("/");
  const items = Object.entries(objects)
    .filter(([each]) => each.includes(`${path.slice(at)}/`))
    .map(([, value]) => value);
  return /\/(?:configmaps|widgets)$/.test(path) ? { metadata: {}, items } : undefined;
}

describe("what is kept", () => {
  test("what a change left is what its answer said, whatever others did right after it", async () => {
    const objects = { [MAP]: object("ConfigMap", "one", "m1", { data: { a: "1" } }) };
    const { made, keep } = cluster(objects);
    const undo = made();
    const answer = object("ConfigMap", "one", "m1", { data: { a: "2" } });
    const entry = keep(undo, "PATCH", MAP, { answer });
    const { images, state } = (await entry) as UndoEntry;
    // By now the object is another again; the entry does not know that, so taking it back is a conflict.
    objects[MAP] = object("ConfigMap", "one", "m1", { data: { a: "theirs" } });
    expect({ state, images }).toMatchObject({ state: "kept", images: [{ after: { data: { a: "2" } } }] });
    undo.close();
  });

  test("what a scale left is what its answer said, not what a controller made of it by the time of a read", async () => {
    const path = "/apis/apps/v1/namespaces/a/deployments/web";
    const web = (uid: string, replicas: number, version: string) =>
      object("Deployment", "web", uid, { spec: { replicas, paused: true } }, { resourceVersion: version });
    const scale = (uid: string, spec: object) =>
      object("Scale", "web", uid, { spec }, { resourceVersion: "6" });
    for (const [answer, left] of [
      [scale("d1", { replicas: 5 }), web("d1", 5, "6")],
      [scale("d1", {}), web("d1", 0, "6")],
      // Of another object, and no Scale at all: then it is read.
      [scale("d2", { replicas: 5 }), web("d1", 3, "5")],
      [object("Status", "web", "d1"), web("d1", 3, "5")],
    ] as const) {
      const { made, keep } = cluster({ [path]: web("d1", 3, "5") });
      const undo = made();
      const entry = (await keep(undo, "PATCH", `${path}/scale`, { answer })) as UndoEntry;
      expect(entry.images).toEqual([{ path, before: web("d1", 3, "5"), after: left }]);
      undo.close();
    }
  });

  test("a create is known by its answer, and of a Secret nothing but which one it is", async () => {
    const { made, keep } = cluster({});
    const undo = made();
    const posted = await keep(undo, "POST", "/api/v1/namespaces/a/secrets", {
      answer: object("Secret", "s-x7", "s1", { data: { p: "canary" } }),
    });
    expect(posted).toMatchObject({ action: "create", path: "/api/v1/namespaces/a/secrets/s-x7" });
    expect(JSON.stringify(posted)).not.toContain("canary");
    undo.close();
  });

  test("of an answer in protobuf, as kubectl create gets it, it is known which object it is", async () => {
    const field = (at: number, bytes: Uint8Array) =>
      Buffer.concat([Buffer.from([at * 8 + 2, bytes.length]), bytes]);
    const text = (at: number, value: string) => field(at, Buffer.from(value));
    const metadata = Buffer.concat([text(1, "one"), text(3, "a"), text(5, "m1"), text(6, "5")]);
    const raw = Buffer.concat([field(1, metadata), text(2, "data")]);
    const answer = Buffer.concat([Buffer.from("k8s\0"), field(2, raw)]);
    const secret = "/api/v1/namespaces/a/secrets";
    const { made: own, keep: keepOf } = cluster({ [`${secret}/one`]: object("Secret", "one", "m1") });
    const undoOf = own();
    expect(await keepOf(undoOf, "POST", secret, { answer })).toMatchObject({
      ...{ path: `${secret}/one`, images: [{ after: { metadata: { uid: "m1" } } }] },
    });
    undoOf.close();
    for (const [live, isKept] of [
      [object("ConfigMap", "one", "m1", { data: { a: "1" } }), true],
      [object("ConfigMap", "one", "m2", { data: { a: "somebody else's" } }), false],
    ] as const) {
      const { made, keep } = cluster({ [MAP]: live });
      const undo = made();
      const entry = await keep(undo, "POST", "/api/v1/namespaces/a/configmaps", { answer });
      expect(entry).toMatchObject({ action: "create", path: MAP, images: isKept ? [{ after: live }] : [] });
      undo.close();
    }
  });

  test("a Secret is kept where the setting says so; what is too large is named instead", async () => {
    const secret = "/api/v1/namespaces/a/secrets/s";
    const { made, keep } = cluster({
      [secret]: object("Secret", "s", "s1", { data: { p: "x" } }),
      [MAP]: object("ConfigMap", "one", "m1", { data: { a: "v".repeat(300 * 1024) } }),
    });
    const undo = made();
    expect(await keep(undo, "DELETE", secret, { answer: {} })).toMatchObject({ images: [] });
    expect(await keep(undo, "DELETE", MAP, { answer: {} })).toMatchObject({
      notes: ["'one' is larger than 256 KiB and is not kept"],
    });
    const open = made({ undo_secrets: "on" });
    expect(await keep(open, "DELETE", secret, { answer: {} })).toMatchObject({ images: [{ path: secret }] });
    undo.close();
    open.close();
  });

  test("nothing of a cluster that nobody registered, of a change that failed, or where the setting is off", async () => {
    const { made, keep, store } = cluster({ [MAP]: object("ConfigMap", "one", "m1") });
    for (const undo of [made({}, false), made({ undo: "off" })]) {
      expect(await keep(undo, "DELETE", MAP, { answer: {} })).toBeUndefined();
      undo.close();
    }
    const undo = made();
    expect(await keep(undo, "DELETE", MAP)).toBeUndefined();
    expect(await store.list()).toEqual([]);
    undo.close();
  });

  test("what cannot be kept is refused as the setting says, by tier", async () => {
    const { made, keep } = cluster({ [MAP]: [] as never });
    for (const [failure, tier, isRefused] of [
      ["closed", "modify", true],
      ["sensitive", "modify", false],
      ["sensitive", "break-glass", true],
      ["open", "break-glass", false],
    ] as const) {
      const undo = made({ undo_failure: failure });
      const kept = await keep(undo, "DELETE", MAP, { answer: {}, tier });
      expect({ failure, tier, isRefused: typeof kept === "string" }).toEqual({ failure, tier, isRefused });
      undo.close();
    }
  });

  test("a file that was renamed or changed is no entry, and one that is too old is removed", async () => {
    const { made, keep, store } = cluster({ [MAP]: object("ConfigMap", "one", "m1") });
    const undo = made();
    await keep(undo, "DELETE", MAP, { answer: {} });
    const home = join(folder.path, `u${number}`);
    const [name = ""] = await readdir(home);
    await Bun.write(join(home, "undo_00000000.bin"), Bun.file(join(home, name)));
    const bytes = new Uint8Array(await Bun.file(join(home, name)).arrayBuffer());
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    await Bun.write(join(home, "undo_11111111.bin"), bytes);
    expect((await store.list()).map(({ id }) => `${id}.bin`)).toEqual([name]);
    const old = new Date(Date.now() - 8 * 86_400_000);
    await utimes(join(home, name), old, old);
    await store.sweep(7 * 86_400_000);
    expect(await store.list()).toEqual([]);
    undo.close();
  });
});

describe("how it is taken back", () => {
  const taken = async (entry: UndoEntry, has: Record<string, ObjectFields> = {}) => {
    const sent: string[] = [];
    const steps = await undoSteps(entry, {
      get: async (path) => (has[path] === undefined ? { absent: true } : { object: has[path] }),
      create: async (path, value) => {
        if (!path.includes("dryRun")) sent.push(`make ${path}`);
        return value;
      },
      createUnlessThere: async (_path, collection, value) => {
        sent.push(`make ${collection}`);
        return value;
      },
      replace: async (path, value) => {
        if (!path.includes("dryRun")) sent.push(`put ${path}`);
        return value;
      },
      remove: async (path, options) => {
        sent.push(`delete ${path} ${JSON.stringify(options.preconditions)}`);
      },
    } as ClusterOfEntry);
    const conflicts = steps.flatMap((step) => step.conflicts);
    const told = steps.map(({ effect }) => [effect.about, ...(effect.notes ?? [])].join("; "));
    const uids = new Map<string, string>();
    for (const step of steps) await step.run(uids);
    return { sent, conflicts, told };
  };

  test("a definition comes back before its objects", async () => {
    const definition = object("CustomResourceDefinition", "widgets.example.org", "d1", {
      spec: { group: "example.org", names: { plural: "widgets" } },
    });
    const { made, keep } = cluster({
      [CRD]: definition,
      "/apis/example.org/v1/namespaces/a/widgets/w1": object("Widget", "w1", "w1", { spec: { size: 1 } }),
      "/apis/example.org/v1/namespaces/a/widgets/w2": object("Widget", "w2", "w2", { spec: { size: 2 } }),
    });
    const undo = made();
    const entry = (await keep(undo, "DELETE", CRD, { answer: {}, tier: "break-glass" })) as UndoEntry;
    undo.close();
    expect(entry.images).toHaveLength(3);
    expect((await taken(entry)).sent).toEqual([
      "make /apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      "make /apis/example.org/v1/namespaces/a/widgets",
      "make /apis/example.org/v1/namespaces/a/widgets",
    ]);
  });

  test("a claim comes back without its binding, and it is said that its volume does not", async () => {
    const path = "/api/v1/namespaces/a/persistentvolumeclaims/data";
    const annotations = { "pv.kubernetes.io/bind-completed": "yes", own: "1" };
    const before = object("PersistentVolumeClaim", "data", "c1", { spec: {} }, { annotations });
    const { made, keep } = cluster({ [path]: before });
    const undo = made();
    const entry = (await keep(undo, "DELETE", path, { answer: {} })) as UndoEntry;
    undo.close();
    const { told, sent } = await taken(entry);
    expect(told.join()).toContain("the data on a deleted volume is lost");
    expect(sent).toEqual(["make /api/v1/namespaces/a/persistentvolumeclaims"]);
  });

  test("what somebody made anew in its place stays, and is a conflict", async () => {
    const { made, keep } = cluster({ [MAP]: object("ConfigMap", "one", "m1", { data: { a: "1" } }) });
    const undo = made();
    const entry = (await keep(undo, "DELETE", MAP, { answer: {} })) as UndoEntry;
    undo.close();
    const other = { [MAP]: object("ConfigMap", "one", "m9", { data: { a: "theirs" } }) };
    const { sent, conflicts } = await taken(entry, other);
    expect({ sent, conflicts: conflicts.length }).toEqual({ sent: [], conflicts: 1 });
  });

  test("a create is deleted by the uid that it had; of another object it is a conflict", async () => {
    const { made, keep } = cluster({});
    const undo = made();
    const answer = object("ConfigMap", "one", "m1");
    const entry = (await keep(undo, "POST", "/api/v1/namespaces/a/configmaps", { answer })) as UndoEntry;
    undo.close();
    expect((await taken(entry, { [MAP]: answer })).sent).toEqual([
      `delete ${MAP} {"uid":"m1","resourceVersion":"5"}`,
    ]);
    expect((await taken(entry, { [MAP]: object("ConfigMap", "one", "m2") })).conflicts).toEqual([
      "the object itself",
    ]);
  });
});
