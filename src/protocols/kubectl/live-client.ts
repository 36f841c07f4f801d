// The request that `doctor --live` has kubectl send.

import type { LiveClient } from "../live-client.ts";

/** kubectl, without its user's credentials. */
export const kubectlLiveClient: LiveClient = {
  name: "kubectl",
  programs: ["kubectl"],
  command: (host, directory) => ({
    args: [
      "--kubeconfig",
      `${directory}/kubeconfig`,
      "--server",
      `https://${host}`,
      "--request-timeout=10s",
      "get",
      "--raw",
      "/api/v1/namespaces/default/pods?limit=1",
    ],
    files: { kubeconfig: "apiVersion: v1\nkind: Config\n" },
  }),
};
