// The parts that the feature console adds to the command line, the control API and doctor. Loaded
// at every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import { consoleCommand, consoleRevokeCommand, consoleSessionsCommand } from "./console.ts";

/** Serves a page in the browser for everything that the command line shows and decides. */
export const consoleFeature: Feature = {
  name: "console",
  about: "Serves a page in the browser for everything that the command line shows and decides",
  commands: [consoleCommand, consoleSessionsCommand, consoleRevokeCommand],
  nouns: { console: "The console in the browser" },
  methods: ["console_open", "console_sessions", "console_revoke"],
  settings: ["console_listen"],
  tables: ["console"],
  daemon: async () => (await import("./daemon-part.ts")).startConsole,
};
