// The parts that the feature ssh adds to the command line, the control API and doctor. Loaded at
// every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import { sshConfigCommand, sshProxyCommand, sshSessionCommand } from "./commands.ts";

/** Judges SSH a channel at a time. */
export const sshFeature: Feature = {
  name: "ssh",
  about: "Judges SSH a channel at a time",
  commands: [sshConfigCommand, sshProxyCommand, sshSessionCommand],
  settings: ["ssh_config", "ssh_agent"],
  checks: async () => [
    { name: "ssh", check: (await import("./check-ssh.ts")).checkSsh, after: "forwarding" },
  ],
  daemon: async () => (await import("./daemon-part.ts")).startSsh,
};
