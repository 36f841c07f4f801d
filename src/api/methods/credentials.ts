// The control methods about credentials that iddio holds for agents, with their inputs and replies.
// No value goes through them but a new one on its way to the keychain.

import { method } from "../method.ts";
import { flag, list, map, number, object, optional, text, type Value } from "../schema.ts";

/** The input of `credentials_add`. */
export const credentialInput = object({
  name: text(),
  kind: text("github, cloudflare, fly, google, aws, kubernetes or generic"),
  from: text(
    "keychain, env, file, command, github-app, google-key, metadata; of kubernetes: service-account or impersonation",
  ),
  hosts: optional(list(text(), "beside those of its kind")),
  variable: optional(text()),
  path: optional(text()),
  argv: optional(list(text())),
  value: optional(text("stored in the keychain and nowhere else")),
  app_id: optional(text()),
  installation_id: optional(text()),
  repositories: optional(list(text())),
  permissions: optional(map(text())),
  api: optional(text()),
  context: optional(text("of the kubeconfig, that leads to the cluster")),
  cluster_host: optional(text()),
  cluster_port: optional(number()),
  path_prefix: optional(text("what stands before the paths of the cluster")),
  kubeconfig: optional(
    text("file with the operator's own user; his registered client certificate when absent"),
  ),
  kubeconfig_user: optional(text()),
  service_account: optional(text("namespace/name")),
  tiers: optional(map(text("namespace/name"), "service accounts for single tiers")),
  ttl_s: optional(number("how long a minted token lasts")),
  audiences: optional(list(text())),
  impersonate: optional(text("user of the cluster, or service account of Google")),
  impersonate_groups: optional(list(text())),
  scopes: optional(list(text())),
  profile: optional(text("of AWS's credentials file")),
  role: optional(text("ARN of a role of AWS that keys are minted for")),
  external_id: optional(text()),
  region: optional(text("of STS")),
  eks_clusters: optional(list(text(), "whose tokens may be signed with the keys of AWS")),
  session: optional(text("action: the keys may do what the request does; role: all that the role may do")),
});

/** A credential as `credentials_add` takes it. */
export type CredentialInput = Value<typeof credentialInput>;

/** A credential as it is told: never its value. */
export const credentialReport = object({
  name: text(),
  kind: text(),
  from: text("where the value comes from, as a clause"),
  hosts: list(text()),
  variables: list(text(), "that its tools read"),
  added_ms: number(),
  used_ms: optional(number("when it was put into a request last, since the daemon was started")),
  expires_ms: optional(number("of the token that is in use; absent when it does not say")),
  problem: optional(text("of the last try to get the value, as a clause")),
});

/** A credential as the methods report it; never its value. */
export type CredentialReport = Value<typeof credentialReport>;

const NO_SUCH = { "not-found": "no credential has this name" };

/** Their part of the table. */
export const CREDENTIAL_METHODS = {
  credentials_list: method("read", "GET", "/v1/credentials", {
    about: "the credentials that are lent to requests",
    output: object({ credentials: list(credentialReport) }),
  }),
  credentials_add: method("change", "POST", "/v1/credentials/add", {
    about: "lends a credential to requests that hold its placeholder",
    input: credentialInput,
    output: object({ credential: credentialReport }),
  }),
  credentials_placeholders: method("read", "POST", "/v1/credentials/placeholders", {
    about: "what stands in place of each credential",
    input: object({ run_id: optional(text("of the run that they are for; outside of runs when absent")) }),
    output: object({
      placeholders: list(
        object({
          name: text(),
          variables: list(text()),
          placeholder: text(),
          environment: map(text(), "variables and their values"),
          context: optional(text("of the kubeconfig, whose user it is for")),
          keeps_certificate: optional(flag("the client certificate stays with the context")),
        }),
      ),
    }),
  }),
  credentials_test: method("change", "POST", "/v1/credentials/test", {
    about: "gets the value once, and tells whether that works",
    input: object({ name: text() }),
    output: object({ credential: credentialReport }),
    errors: NO_SUCH,
  }),
  credentials_revoke: method("change", "POST", "/v1/credentials/revoke", {
    about: "ends the token that is in use; the next request gets another",
    input: object({ name: text() }),
    output: object({ credential: credentialReport, note: optional(text()) }),
    narrows: { because: "a token that has ended opens nothing" },
    errors: NO_SUCH,
  }),
  credentials_remove: method("change", "POST", "/v1/credentials/remove", {
    about: "lends a credential no more",
    input: object({ name: text() }),
    output: object({ credential: credentialReport }),
    narrows: { because: "requests with its placeholder are refused by their upstream" },
    errors: NO_SUCH,
  }),
} as const;
