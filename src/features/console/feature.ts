// What the feature console brings to the command line, the control API and doctor. Loaded at every start: what is heavy
// stays behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import { consoleCommand, consoleRevokeCommand, consoleSessionsCommand } from "./console.ts";

/** Serves a page in the browser that shows and decides what the command line does. */
export const consoleFeature: Feature = {
  name: "console",
  about: "Serves a page in the browser that shows and decides what the command line does",
  commands: [consoleCommand, consoleSessionsCommand, consoleRevokeCommand],
  nouns: { console: "The console in the browser" },
  methods: ["console_open", "console_sessions", "console_revoke"],
  settings: ["console_listen"],
  tables: ["console"],
};
