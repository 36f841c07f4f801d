// The parts that the feature notify adds to the command line, the control API and doctor. Loaded at
// every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import {
  notifyAddCommand,
  notifyListCommand,
  notifyRemoveCommand,
  notifyRotateCommand,
  notifyTestCommand,
} from "./commands.ts";

/** Tells people of requests that wait: on the desktop, in Slack, by webhook, PagerDuty and e-mail. */
export const notifyFeature: Feature = {
  name: "notify",
  about: "Tells people of requests that wait: on the desktop, in Slack, by webhook, PagerDuty and e-mail",
  commands: [
    notifyAddCommand,
    notifyListCommand,
    notifyTestCommand,
    notifyRotateCommand,
    notifyRemoveCommand,
  ],
  nouns: { notify: "Receivers of notices about waiting requests" },
  methods: ["notify_list", "notify_add", "notify_rotate", "notify_test", "notify_remove"],
  settings: ["notifications"],
  tables: ["notice_targets", "notices"],
  checks: async () => [
    { name: "notify", check: (await import("./check-notify.ts")).checkNotify, after: "forwarding" },
  ],
  daemon: async () => (await import("./daemon-part.ts")).startNotify,
};
