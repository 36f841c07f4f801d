// What the feature effects brings to the command line, the control API and doctor. Loaded at every start: what is heavy
// stays behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";

/** Asks the API server what a held request would do, and lets go only what was shown. */
export const effectsFeature: Feature = {
  name: "effects",
  about: "Asks the API server what a held request would do, and lets go only what was shown",
  methods: ["approvals_effect"],
  settings: ["effect_preview", "effect_pin"],
  stages: ["preview"],
};
