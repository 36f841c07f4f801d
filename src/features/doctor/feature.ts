// The parts that the feature doctor adds to the command line, the control API and doctor. Loaded at
// every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import { doctorCommand } from "./doctor.ts";
import { repairCommand } from "./repair.ts";

/** Examines the installation and repairs it. */
export const doctorFeature: Feature = {
  name: "doctor",
  about: "Examines the installation and repairs it",
  commands: [doctorCommand, repairCommand],
  methods: ["probes_start", "probes_end"],
  daemon: async () => (await import("./daemon-part.ts")).startProbes,
};
