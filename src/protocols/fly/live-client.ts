// The request that `doctor --live` has fly send.

import type { LiveClient } from "../live-client.ts";

/** fly, without its user's credentials. */
export const flyLiveClient: LiveClient = {
  name: "fly",
  programs: ["fly", "flyctl"],
  standsFor: "api.fly.io",
  inspect: "api.fly.io",
  command: (host, directory) => ({
    args: ["orgs", "list", "--json"],
    env: {
      FLY_API_BASE_URL: `https://${host}`,
      FLY_API_TOKEN: "probe",
      FLY_CONFIG_DIR: directory,
      FLY_NO_UPDATE_CHECK: "1",
    },
  }),
};
