// The request that `doctor --live` has wrangler send.

import type { LiveClient } from "../live-client.ts";

/** wrangler, without its user's credentials. */
export const cloudflareLiveClient: LiveClient = {
  name: "wrangler",
  programs: ["wrangler"],
  standsFor: "api.cloudflare.com",
  inspect: "api.cloudflare.com",
  command: (host) => ({
    args: ["whoami"],
    env: {
      CLOUDFLARE_API_BASE_URL: `https://${host}/client/v4`,
      CLOUDFLARE_API_TOKEN: "probe",
      WRANGLER_SEND_METRICS: "false",
      CI: "1",
    },
  }),
};
