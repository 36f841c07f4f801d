// The daemon's part of SSH: the gate that the proxy hands connections to hosts of SSH.

import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import { SshGate } from "./gate.ts";

/** Makes the gate. Its sessions end before the proxy closes, which would wait for their connections. */
export function startSsh({ gateway, events, paths, env, ownerUid, cleanup }: DaemonParts): DaemonPart {
  const gate = new SshGate({ gateway, events, folder: paths.ssh, env, ownerUid });
  return { contracts: { ssh: gate }, started: () => void cleanup.defer(() => gate.close()) };
}
