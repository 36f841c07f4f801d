// The request that `doctor --live` has terraform send.

import type { LiveClient } from "../live-client.ts";

/** terraform, without its user's credentials. */
export const terraformLiveClient: LiveClient = {
  name: "terraform",
  programs: ["terraform", "tofu"],
  standsFor: "app.terraform.io",
  inspect: "app.terraform.io",
  command: (host, directory) => ({
    args: ["init", "-input=false", "-no-color", "-backend=false"],
    env: { CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1", TF_DATA_DIR: `${directory}/data` },
    files: {
      "main.tf": `module "probe" {\n  source  = "${host}/iddio/probe/none"\n  version = "1.0.0"\n}\n`,
    },
  }),
};
