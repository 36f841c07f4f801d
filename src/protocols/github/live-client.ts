// The request that `doctor --live` has gh send.

import type { LiveClient } from "../live-client.ts";

/** gh, without its user's credentials. */
export const githubLiveClient: LiveClient = {
  name: "gh",
  programs: ["gh"],
  standsFor: "api.github.com",
  inspect: "api.github.com",
  command: (host, directory) => ({
    args: ["api", "user"],
    env: {
      GH_HOST: host,
      GH_ENTERPRISE_TOKEN: "probe",
      GH_CONFIG_DIR: directory,
      GH_PROMPT_DISABLED: "1",
      GH_NO_UPDATE_NOTIFIER: "1",
    },
  }),
};
