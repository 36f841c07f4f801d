// The daemon's part of the audit log's integrity: it signs a checkpoint of the chain at intervals.

import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import { Checkpoints } from "./checkpoints.ts";

/** Starts the checkpoints. */
export function startIntegrity({ cleanup, chain, recorder, log, paths }: DaemonParts): DaemonPart {
  cleanup.use(new Checkpoints({ chain, recorder, log, keyPath: paths.auditKey }));
  return {};
}
