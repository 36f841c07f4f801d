// The target that a request is judged by: a cluster's API may begin below a path of its server
// (Rancher, Teleport, kcp, vCluster), which the kubeconfig names and the classifier does not know.
// The forwarded request keeps the path.

import type { Protocol } from "../../../model/protocol.ts";
import type { RequestHead } from "../../../model/request.ts";
import type { TrustStore } from "../../upstream/trust.ts";

/** The target without the registered prefix where only protocols of clusters judge it; else as it is. */
export function judgedTarget(
  trust: Pick<TrustStore, "belowPrefix">,
  protocols: readonly Protocol[],
  { host, port, target }: RequestHead,
): string {
  const isCluster = protocols.every((protocol) => protocol === "kubectl" || protocol === "helm");
  return isCluster ? trust.belowPrefix(host, port, target) : target;
}
