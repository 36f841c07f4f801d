// The parts that the feature effects adds to the command line, the control API and doctor. Loaded
// at every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";

/** Finds the effect of a held request by a dry run, and lets it go only with the effect that was shown. */
export const effectsFeature: Feature = {
  name: "effects",
  about:
    "Finds the effect of a held request by a dry run, and lets it go only with the effect that was shown",
  settings: ["effect_preview", "effect_pin"],
  stages: ["preview"],
  daemon: async () => (await import("./daemon-part.ts")).startEffects,
};
