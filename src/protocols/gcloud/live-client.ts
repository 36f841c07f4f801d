// The request that `doctor --live` has gcloud send.

import type { LiveClient } from "../live-client.ts";

/** gcloud, without its user's credentials. */
export const gcloudLiveClient: LiveClient = {
  name: "gcloud",
  programs: ["gcloud"],
  standsFor: "compute.googleapis.com",
  inspect: "*.googleapis.com",
  command: (host, directory) => ({
    args: ["compute", "zones", "list", "--project=iddio-probe", "--format=json", "--quiet"],
    env: {
      CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `https://${host}/compute/v1/`,
      CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: `${directory}/token`,
      CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: "1",
      CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: "1",
    },
    files: { token: "probe" },
  }),
};
