// The parts that the feature approvals adds to the command line, the control API and doctor. Loaded
// at every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import {
  approvalAllowCommand,
  approvalDenyCommand,
  approvalListCommand,
  approvalShowCommand,
} from "./approval.ts";
import { eventsCommand } from "./events.ts";
import { approvalGrantsListCommand, approvalGrantsRevokeCommand } from "./grants.ts";
import { approvalWatchCommand } from "./watch.ts";

/** Shows the requests that wait for a person, and takes the answers. */
export const approvalsFeature: Feature = {
  name: "approvals",
  about: "Shows the requests that wait for a person, and takes the answers",
  commands: [
    approvalListCommand,
    approvalShowCommand,
    approvalWatchCommand,
    approvalAllowCommand,
    approvalDenyCommand,
    approvalGrantsListCommand,
    approvalGrantsRevokeCommand,
    eventsCommand,
  ],
  nouns: {
    approval: "Requests that wait for a person",
    "approval grants": "Grants: permissions for a while, by 'approval allow --for'",
  },
  methods: [
    "approvals_list",
    "approvals_ended",
    "approvals_show",
    "approvals_effect",
    "approvals_allow",
    "approvals_deny",
    "grants_list",
    "grants_revoke",
    "events",
  ],
  settings: ["approval_timeout"],
  tables: ["grants"],
  stages: ["hold"],
  daemon: async () => (await import("./daemon-part.ts")).startApprovals,
};
