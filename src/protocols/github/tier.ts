// The tier of a REST operation, by rule from its method and its published id
// (`repos/add-collaborator`): access and credentials are break-glass, secrets and deletions
// sensitive, other writes modify, reads observe. Knows no request. The rules are about words, so
// that an operation published tomorrow falls under them too.

import type { Tier } from "../../model/tier.ts";
import type { PublishedVerb } from "./operations.ts";

/** A tier with the clause that says why. */
export interface TierReason {
  readonly tier: Tier;
  readonly reason: string;
}

type Rule = readonly [pattern: RegExp, tier: Tier, reason: string];

/** Reads that hand out what opens something. */
const READS: readonly Rule[] = [
  // The list and the single alert carry the secret itself; locations and settings do not.
  [/^secret-scanning\/(?:list-alerts|get-alert)/, "sensitive", "alerts carry the secrets that were found"],
  [/^enterprise-admin\/get-(?:manage-)?settings$/, "sensitive", "the appliance's settings hold its secrets"],
];

/** Of writes that are no DELETE, the first that matches counts. */
const WRITES: readonly Rule[] = [
  [/^markdown\//, "observe", "renders text"],
  [/\/list-attestations-bulk$/, "observe", "a list asked for by POST"],
  [/^apps\/check-token$/, "sensitive", "tells whose a token is"],
  [/-remove-token|registration-token|jitconfig/, "break-glass", "issues a credential for a runner"],
  [/token|authorization|create-from-manifest/, "break-glass", "issues or changes a credential"],
  [/(?:deploy|ssh|gpg|signing|public)-key|ssh-signing|manage-ssh/, "break-glass", "registers a key"],
  [/^credentials\//, "sensitive", "revokes credentials"],
  [/(?:delete|remove|purge|destroy|revoke|uninstall|demote)(?:-|$)/, "sensitive", "deletes or takes away"],
  [/pat-(?:access|grant)/, "break-glass", "grants access to a token"],
  [/set-public-membership/, "sensitive", "shows who is a member"],
  [/membership|collaborator|org-role|security-manager|site-admin/, "break-glass", "grants access"],
  [/add-member|create-invitation|custom-(?:\w+-)?role/, "break-glass", "grants access"],
  [
    /repo-permissions|access-restrictions|provision|scim|external-idp-group|ldap/,
    "break-glass",
    "grants access",
  ],
  [/^enterprise-admin\/(?:create-user|update-username|create-enterprise)/, "break-glass", "changes accounts"],
  [/^(?:enterprise-)?teams\/|team-organizations/, "sensitive", "changes what teams may reach"],
  [/secret(?!-scanning)|private-registr/, "sensitive", "writes a secret or who may use it"],
  [/^secret-scanning\/|bypass|^oidc\/|oidc/, "sensitive", "changes what guards secrets and access"],
  [/repo(?:sitor(?:y|ies))?-to-installation/, "break-glass", "lets an app reach a repository"],
  [/(?:update|accept)-invitation/, "break-glass", "grants access"],
  [/access|default-workflow-permissions|installation/, "sensitive", "changes who may use it"],
  [/^repos\/transfer|invitation|^users\/add-email/, "sensitive", "changes who owns or enters it"],
  [/^enterprise-admin\/(?!.*(?:runner|webhook|announcement))/, "sensitive", "changes the whole installation"],
];

/** The tier of a published operation. */
export function githubTier(published: PublishedVerb, id: string): TierReason {
  if (published === "GET") return matching(READS, id) ?? { tier: "observe", reason: `${id} reads` };
  if (published === "DELETE") return { tier: "sensitive", reason: `${id} deletes` };
  return matching(WRITES, id) ?? { tier: "modify", reason: `${id} writes` };
}

function matching(rules: readonly Rule[], id: string): TierReason | undefined {
  const rule = rules.find(([pattern]) => pattern.test(id));
  return rule === undefined ? undefined : { tier: rule[1], reason: `${id} ${rule[2]}` };
}
