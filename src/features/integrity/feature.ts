// The parts that the feature integrity adds to the command line, the control API and doctor. Loaded
// at every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import { auditVerifyCommand } from "./audit-verify.ts";

/** Chains the rows of the audit log and signs checkpoints of it. */
export const integrityFeature: Feature = {
  name: "integrity",
  about: "Chains the rows of the audit log and signs checkpoints of it",
  commands: [auditVerifyCommand],
  settings: ["audit_chain"],
  daemon: async () => (await import("./daemon-part.ts")).startIntegrity,
};
