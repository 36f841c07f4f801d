// The parts that the feature credentials adds to the command line, the control API and doctor.
// Loaded at every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import {
  credentialsAddAwsCommand,
  credentialsAddCommand,
  credentialsAddGoogleCommand,
  credentialsAddKubernetesCommand,
} from "./add-command.ts";
import {
  credentialsEnvCommand,
  credentialsListCommand,
  credentialsRemoveCommand,
  credentialsRevokeCommand,
  credentialsTestCommand,
} from "./commands.ts";

/** Holds tokens, gives agents placeholders, and puts the tokens into requests that were let through. */
export const credentialsFeature: Feature = {
  name: "credentials",
  about: "Holds tokens, gives agents placeholders, and puts the tokens into requests that were let through",
  commands: [
    credentialsAddCommand,
    credentialsAddGoogleCommand,
    credentialsAddAwsCommand,
    credentialsAddKubernetesCommand,
    credentialsListCommand,
    credentialsEnvCommand,
    credentialsTestCommand,
    credentialsRevokeCommand,
    credentialsRemoveCommand,
  ],
  nouns: {
    credentials: "Tokens that iddio holds for agents",
    "credentials add": "Add a token for a service",
  },
  methods: [
    "credentials_list",
    "credentials_add",
    "credentials_placeholders",
    "credentials_test",
    "credentials_revoke",
    "credentials_remove",
  ],
  stages: ["credentials"],
  tables: ["credentials", "placeholder_secret"],
  daemon: async () => (await import("./daemon-part.ts")).startCredentials,
};
