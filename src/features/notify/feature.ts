// What the feature notify brings to the command line, the control API and doctor. Loaded at every start: what is heavy
// stays behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";

/** Shows a notification on the desktop when a request waits. */
export const notifyFeature: Feature = {
  name: "notify",
  about: "Shows a notification on the desktop when a request waits",
  settings: ["notifications"],
};
