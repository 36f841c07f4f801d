// Finds the settings of the user's own kubeconfig that keep kubectl and helm away from iddio,
// whatever the environment says: a CA that is pinned in the file, and loopback servers, which Go
// programs never reach through a proxy.

import type { StatePaths } from "../../state/paths.ts";
import { hostText } from "../../text/host-port.ts";

/** The server of the current context, and the problem on the way to it. */
export interface KubeconfigState {
  /** `host`, or `host:port` where the port is not that of HTTPS. */
  readonly server: string;
  /** A lower-case clause; absent when nothing is wrong. */
  readonly problem?: string;
  readonly fix: string;
}

const FIX = 'iddio kubeconfig, then: eval "$(iddio shell-init)"';

/** Undefined when there is no kubeconfig, or none with a current context. */
export async function kubeconfigProblem({
  env,
  paths,
}: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly paths: StatePaths;
}): Promise<KubeconfigState | undefined> {
  const { readKubeconfig } = await import("../../host/kubeconfig/kubeconfig.ts");
  const { isLoopbackAddress } = await import("../../match/destination.ts");
  const config = await readKubeconfig(env).catch(() => undefined);
  const context = config?.contexts.find(({ name }) => name === config.currentContext);
  if (context === undefined) return undefined;
  const { host, port, name, caPem } = context;
  const server = hostText({ host, port });
  const files = (env.KUBECONFIG ?? "").split(":");
  // The overlay brings its own proxy and its own trust.
  if (files.includes(paths.kubeconfig)) return { server, fix: FIX };
  if (host === "localhost" || isLoopbackAddress(host))
    return { server, problem: `context '${name}' is at ${server}, which no proxy is asked for`, fix: FIX };
  if (caPem !== "")
    return { server, problem: `context '${name}' trusts only its cluster's own CA, not iddio`, fix: FIX };
  return { server, fix: FIX };
}
