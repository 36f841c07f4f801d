// Taking changes back, as tables: what is put back and what conflicts; what is left out of an
// object that is made again.

import { describe, expect, test } from "bun:test";
import { inOrder, restored, whyNotRestored } from "../../../src/protocols/kubectl/undo/restore.ts";
import { takeBack } from "../../../src/protocols/kubectl/undo/three-way.ts";

describe("a change is taken back", () => {
  const rows = [
    {
      name: "nothing else changed",
      before: { a: 1 },
      after: { a: 2 },
      live: { a: 2 },
      object: { a: 1 },
      conflicts: [],
    },
    {
      name: "another field changed",
      before: { a: 1, b: 1 },
      after: { a: 2, b: 1 },
      live: { a: 2, b: 3 },
      object: { a: 1, b: 3 },
      conflicts: [],
    },
    {
      name: "the same field changed",
      before: { a: 1 },
      after: { a: 2 },
      live: { a: 9 },
      object: { a: 1 },
      conflicts: ["a"],
    },
    {
      name: "a field that was added goes",
      before: {},
      after: { a: 2 },
      live: { a: 2, c: 1 },
      object: { c: 1 },
      conflicts: [],
    },
    {
      name: "a field that was removed comes back",
      before: { a: { b: 1 } },
      after: {},
      live: {},
      object: { a: { b: 1 } },
      conflicts: [],
    },
    {
      name: "somebody put it back already",
      before: { a: 1 },
      after: { a: 2 },
      live: { a: 1 },
      object: { a: 1 },
      conflicts: [],
    },
  ] as const;
  for (const { name, before, after, live, object, conflicts } of rows)
    test(name, () => {
      expect(takeBack(before, after, live)).toEqual({ object, conflicts: [...conflicts] });
    });
});

test("an object is made again without what was the old one's", () => {
  const service = {
    kind: "Service",
    metadata: {
      name: "s",
      uid: "u",
      resourceVersion: "7",
      ownerReferences: [{ uid: "gone", kind: "X", name: "x" }],
    },
    spec: { clusterIP: "10.0.0.9", clusterIPs: ["10.0.0.9"], ports: [{ port: 80, nodePort: 30_001 }] },
    status: { loadBalancer: {} },
  };
  expect(restored(service, new Map()).object).toEqual({
    kind: "Service",
    metadata: { name: "s" },
    spec: { ports: [{ port: 80 }] },
  });
  const owned = restored(service, new Map([["gone", "new"]])).object;
  expect(owned.metadata).toEqual({ name: "s", ownerReferences: [{ uid: "new", kind: "X", name: "x" }] });
});

test("a headless service stays headless", () => {
  const spec = { clusterIP: "None", ports: [] };
  expect(restored({ kind: "Service", metadata: {}, spec }, new Map()).object.spec).toEqual(spec);
});

test("what a controller makes is left to it", () => {
  const metadata = { ownerReferences: [{ kind: "ReplicaSet", name: "r", uid: "1", controller: true }] };
  expect(whyNotRestored({ kind: "Pod", metadata })).toBe("ReplicaSet 'r' makes it again");
});

test("owners and what others need come first, and a circle of owners ends", () => {
  const of = (kind: string, uid: string, owner?: string) => ({
    object: {
      kind,
      metadata: { uid, ...(owner === undefined ? {} : { ownerReferences: [{ uid: owner }] }) },
    },
  });
  const order = inOrder([of("Deployment", "d"), of("ConfigMap", "c", "d"), of("Namespace", "n")]);
  expect(order.map(({ object }) => object.kind)).toEqual(["Namespace", "Deployment", "ConfigMap"]);
  expect(inOrder([of("A", "a", "b"), of("B", "b", "a")])).toHaveLength(2);
});
