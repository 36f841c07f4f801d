// The request that `doctor --live` has helm send.

import type { LiveClient } from "../live-client.ts";

/** helm, without its user's credentials. */
export const helmLiveClient: LiveClient = {
  name: "helm",
  programs: ["helm"],
  // On the wire helm talks to the cluster.
  protocol: "kubectl",
  command: (host, directory) => ({
    args: ["list", "--kube-apiserver", `https://${host}`, "--kube-token=probe"],
    env: {
      KUBECONFIG: `${directory}/kubeconfig`,
      HELM_CACHE_HOME: directory,
      HELM_CONFIG_HOME: directory,
      HELM_DATA_HOME: directory,
    },
    files: { kubeconfig: "apiVersion: v1\nkind: Config\n" },
  }),
};
