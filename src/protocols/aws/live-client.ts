// The request that `doctor --live` has aws send.

import type { LiveClient } from "../live-client.ts";

/** aws, without its user's credentials. */
export const awsLiveClient: LiveClient = {
  name: "aws",
  programs: ["aws"],
  standsFor: "sts.amazonaws.com",
  inspect: "*.amazonaws.com",
  command: (host) => ({
    args: [
      "sts",
      "get-caller-identity",
      "--endpoint-url",
      `https://${host}`,
      "--region=us-east-1",
      "--no-sign-request",
      "--cli-connect-timeout=10",
      "--cli-read-timeout=10",
    ],
    env: { AWS_MAX_ATTEMPTS: "1", AWS_EC2_METADATA_DISABLED: "true", AWS_PAGER: "" },
  }),
};
