// A gate for tests of what lies behind it: a person is always present.

import type { Gate } from "../../../src/api/gate.ts";

/** Lets everybody in. */
export const OPEN_GATE: Gate = {
  standing: () => ({ mode: "enforce", isNarrowerSetting: () => false, isNarrowerPolicy: () => false }),
  presence: () => Promise.resolve({ factor: "none", level: "L0" }),
};
