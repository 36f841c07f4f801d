// The daemon's part of doctor: the probes, hosts by which `doctor --live` sees what a client does.

import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";

/** Adds the methods about probes. */
export function startProbes({ gateway }: DaemonParts): DaemonPart {
  return {
    handlers: {
      probes_start: ({ protocol, stands_for }) => {
        const { id, host } = gateway().probes.start(protocol, stands_for);
        return { id, host };
      },
      probes_end: ({ id }) => gateway().probes.end(id),
    },
  };
}
