// What the feature notify brings to the command line, the control API and doctor. Loaded at every start: what is heavy
// stays behind a function. The contract is cli/kit/feature.ts.

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
  nouns: { notify: "Who is told of requests that wait" },
  methods: ["notify_list", "notify_add", "notify_rotate", "notify_test", "notify_remove"],
  settings: ["notifications"],
  tables: ["notice_targets", "notices"],
  checks: async () => [
    { name: "notify", check: (await import("./check-notify.ts")).checkNotify, after: "forwarding" },
  ],
};
