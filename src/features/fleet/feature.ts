// The parts that the feature fleet adds to the command line, the control API and doctor. Loaded at
// every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

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
  daemon: async () => (await import("./daemon-part.ts")).startFleet,
};
