// The objects of a fresh cluster: the usual namespaces, a node, and a small application in
// `payments`.

import { admitNew } from "../admission.ts";
import type { KubeObject } from "./kube-object.ts";
import { RESOURCES } from "./resources.ts";
import type { ObjectStore } from "./store.ts";

function object(
  apiVersion: string,
  kind: string,
  name: string,
  namespace?: string,
  rest: object = {},
): KubeObject {
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels: { app: name } };
  return { apiVersion, kind, metadata, ...rest };
}

function pod(name: string, namespace: string): KubeObject {
  return object("v1", "Pod", name, namespace, {
    spec: {
      containers: [{ name: "app", image: "registry.example/app:1", ports: [{ containerPort: 8080 }] }],
    },
  });
}

/** Creates the seed objects. */
export function seed(store: ObjectStore): void {
  const objects = [
    ...["default", "kube-system", "payments", "sandbox"].map((name) => object("v1", "Namespace", name)),
    object("v1", "Node", "node-1", undefined, { spec: { podCIDR: "10.244.0.0/24" } }),
    pod("api", "payments"),
    pod("web", "default"),
    pod("tools", "sandbox"),
    object("v1", "ConfigMap", "settings", "payments", { data: { mode: "safe" } }),
    object("v1", "Secret", "db", "payments", { stringData: { password: "not-a-real-one" } }),
    object("v1", "Service", "api", "payments", {
      spec: { selector: { app: "api" }, ports: [{ port: 80, targetPort: 8080 }] },
    }),
  ];
  for (const each of objects) {
    const resource = RESOURCES.find(({ kind }) => kind === each.kind);
    if (resource === undefined) throw new Error(`the stand-in does not serve ${each.kind}`);
    admitNew(resource, each, each.metadata.namespace, store);
    store.create(resource, each);
  }
}
