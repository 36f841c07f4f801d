// The tier of an operation of Cloudflare's REST API, by rule from its method, its name and the
// fixed words of its path. Knows no request. The rules are about words, never about single rows of
// the table, so that an operation published tomorrow falls under them too.

import type { Tier } from "../../model/tier.ts";
import type { CloudflareOperation } from "./operations.ts";

/** A tier with the clause that says why. */
interface TierReason {
  readonly tier: Tier;
  readonly reason: string;
}

type Rule = readonly [pattern: RegExp, tier: Tier, reason: string];

/** Reads that hand out secrets; other reads about tokens, keys and secrets show only their names. */
const READS: readonly Rule[] = [
  [/\.token\.get$|upload_token$/, "sensitive", "returns a token"],
  [/^images\.v1\.keys\.list$/, "sensitive", "lists the signing keys themselves"],
  [/\.tsigs\./, "sensitive", "returns the shared secret"],
  [/override_codes/, "sensitive", "returns codes that switch a device's protection off"],
  [/^turnstile\.widgets\.get$/, "sensitive", "returns the widget's secret"],
  [/^stream\.live_inputs\.get$/, "sensitive", "returns the stream's key"],
];

/** Of writes that are no DELETE, the first that matches counts. */
const WRITES: readonly Rule[] = [
  [/\.bulk_get$|^zero_trust\.dlp\.patterns\.validate$/, "observe", "reads by POST"],
  [
    /^diagnostics\.traceroutes|^analytics_query\.|^registrar(?:_sandbox)?\.(?:transfer_)?check$/,
    "observe",
    "reads by POST",
  ],
  [/^aisearch\.(?:\w+\.)*search$/, "observe", "searches"],
  [
    /^ai\.(?:run|to_markdown\.transform|(?:chat\.completions|completions|embeddings|responses)\.create)$|^aisearch\.(?:\w+\.)*chat_completions$/,
    "observe",
    "is model inference",
  ],
  [
    /^vectorize\.indexes\.(?:query|get_by_ids)$|\.telemetry\.(?:query|keys|values)$/,
    "observe",
    "reads by POST",
  ],
  [/\.query\.sql$|\.validate_sql$|\.check_missing$/, "observe", "reads by POST"],
  [/policy_tests/, "modify", "tests a policy"],
  [/\brevoke|unrevoke/, "sensitive", "takes away access"],
  [
    /\.tokens?\.|service_tokens|client_secret|rotate_(?:secret|seed)/,
    "break-glass",
    "issues or changes a credential",
  ],
  [
    /credentials\.(?:create|generate|update|edit)$|psk_generate/,
    "break-glass",
    "issues or changes a credential",
  ],
  [
    /\.keys\.(?:create|update|rotate)$|^calls\.(?:turn|sfu)\.create$/,
    "break-glass",
    "issues or changes a key",
  ],
  [/\.management\.create$/, "break-glass", "issues a token"],
  [/^(?:origin_ca|client)_certificates\.create$/, "break-glass", "issues a certificate"],
  [
    /access\.(?:certificates|gateway_ca|saml_certificates)|applications\.cas|saml_certificate/,
    "break-glass",
    "changes who is trusted",
  ],
  [
    /^accounts\.members|^iam\.|^memberships\.|invites|^resource_sharing|\.permissions\./,
    "break-glass",
    "grants access",
  ],
  [
    /access\.(?:applications|policies|groups|users|idp_federation|ai_controls)/,
    "break-glass",
    "changes who may enter",
  ],
  [
    /identity_providers|^zero_trust\.organizations|^zero_trust\.seats/,
    "break-glass",
    "changes who may enter",
  ],
  [/secret|tsigs|psk_set/, "sensitive", "writes a secret"],
  [/certificate|\.ssl\./, "sensitive", "changes certificates"],
  [
    /(?:^|[._])(?:purge|delete|destroy|remove|clear|terminate|wipe|invalidate)(?:$|[._])/,
    "sensitive",
    "deletes",
  ],
  [/time_travel\.restore$/, "sensitive", "overwrites a database"],
  [
    /^registrar\.(?:registrations|transfer_in)\.create|\.pay_|payment|topup\.create/,
    "sensitive",
    "spends money",
  ],
];

/** The words by which a path says that it deletes; they count as words, never within one. */
const DESTRUCTIVE = /(?:^|[-_])(?:purge|delete|destroy|remove|terminate|clear)(?:$|[-_])/;

/** The tier of a published operation called by this method. */
export function tierOfCloudflareOperation(method: string, { id, words }: CloudflareOperation): TierReason {
  if (method === "GET" || method === "HEAD")
    return matching(READS, id) ?? { tier: "observe", reason: `${id} reads` };
  if (method === "DELETE") return { tier: "sensitive", reason: `${id} deletes` };
  const rule = matching(WRITES, id);
  if (rule !== undefined && rule.tier !== "modify") return rule;
  const word = words.find((one) => DESTRUCTIVE.test(one));
  if (word !== undefined) return { tier: "sensitive", reason: `'${word}' in the path` };
  return rule ?? { tier: "modify", reason: `${id} writes` };
}

function matching(rules: readonly Rule[], id: string): TierReason | undefined {
  const rule = rules.find(([pattern]) => pattern.test(id));
  return rule === undefined ? undefined : { tier: rule[1], reason: `${id} ${rule[2]}` };
}
