// The request that `doctor --live` has curl send.

import type { LiveClient } from "../live-client.ts";

/** curl, without its user's credentials. */
export const genericLiveClient: LiveClient = {
  name: "curl",
  programs: ["curl"],
  command: (host) => ({ args: ["-sS", "-o", "/dev/null", "--max-time", "15", `https://${host}/`] }),
};
