// Kubeconfigs for the stand-in cluster, as an operator would have them.

import type { Cluster } from "./cluster.ts";

/** How the kubeconfig's user proves who it is. */
export type KubeconfigUser = "token" | "viewer" | "certificate" | Readonly<Record<string, unknown>>;

/** A kubeconfig with one context `stand-in`, in namespace `payments` unless told. */
export function kubeconfigText(cluster: Cluster, user: KubeconfigUser, namespace = "payments"): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "stand-in",
    clusters: [
      {
        name: "stand-in",
        cluster: { server: cluster.url, "certificate-authority-data": base64(cluster.caPem) },
      },
    ],
    users: [{ name: "operator", user: credentials(cluster, user) }],
    contexts: [{ name: "stand-in", context: { cluster: "stand-in", user: "operator", namespace } }],
  });
}

function credentials(cluster: Cluster, user: KubeconfigUser): Readonly<Record<string, unknown>> {
  if (user === "token") return { token: cluster.token };
  if (user === "viewer") return { token: cluster.viewerToken };
  if (user !== "certificate") return user;
  return {
    "client-certificate-data": base64(cluster.admin.certPem),
    "client-key-data": base64(cluster.admin.keyPem),
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
