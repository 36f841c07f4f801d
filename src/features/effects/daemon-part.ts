// The daemon's part of effects: it finds the effect of a held request. The approvals of the control
// API show it.

import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import { Effects } from "./effects.ts";

/** Makes the finder of effects. */
export function startEffects({ settings, policy, upstreams, log }: DaemonParts): DaemonPart {
  const effects = new Effects({
    settings: () => settings.current,
    policy: () => policy.current,
    isRegistered: (host, port) => upstreams.get(host, port) !== undefined,
    log: (message, fields) => log.debug(message, fields),
  });
  return { contracts: { effects } };
}
