// The command of the process between an agent and the daemon. In a file of its own: an agent waits
// for its start.

import type { Command } from "../../cli/kit/command.ts";

/** Only ever started by `iddio run`. */
export const runBridgeCommand: Command = {
  name: "run-bridge",
  summary: "Carry the connections of a sandbox",
  isHidden: true,
  async run() {
    const { runBridge } = await import("./bridge/bridge.ts");
    return runBridge();
  },
};
