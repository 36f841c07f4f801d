// What the feature fleet brings to the command line, the control API and doctor. Loaded at every start: what is heavy
// stays behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import { enrollCommand, fleetLeaveCommand, fleetStatusCommand, fleetSyncCommand } from "./commands.ts";

/** Makes the machine one of a fleet: a central policy, central approvals, audit rows in one place. */
export const fleetFeature: Feature = {
  name: "fleet",
  about: "Makes the machine one of a fleet: a central policy, central approvals, audit rows in one place",
  commands: [enrollCommand, fleetStatusCommand, fleetSyncCommand, fleetLeaveCommand],
  nouns: { fleet: "The control plane that this machine belongs to" },
  methods: ["fleet_status", "fleet_enroll", "fleet_sync", "fleet_leave"],
  tables: ["fleet"],
  checks: async () => [
    { name: "fleet", check: (await import("./check-fleet.ts")).checkFleet, after: "audit" },
  ],
};
