// Certificate policies along a path (RFC 5280 6.1), as far as they can make it invalid: only when
// an authority requires an explicit policy must one be left at the end. Mapped policies are not
// followed; where a required policy would depend on a mapping, the path is refused.

import type { Certificate } from "./certificate.ts";
import { isSelfIssued } from "./certificate.ts";
import { EXTENSION } from "./extensions.ts";

const ANY_POLICY = "2.5.29.32.0";

/** A clause when a policy is required that the path does not carry. `path` runs from the root to the server. */
export function policyProblem(path: readonly Certificate[]): string | undefined {
  if (!path.some(({ extensions }) => extensions.requiresPolicyAfter !== undefined)) return undefined;
  // Where it stops to count is not followed either: it never does once anyone inhibits it.
  const isAnyInhibited = path.some(({ extensions }) => extensions.present.has(EXTENSION.inhibitAnyPolicy));
  let requiredAfter = Number.POSITIVE_INFINITY;
  let valid: ReadonlySet<string> | "any" = "any";
  // The root's own policies do not count: trust in it is not limited to them.
  for (const [index, certificate] of path.entries()) {
    const { policies = [], requiresPolicyAfter, present } = certificate.extensions;
    if (index > 0) {
      if (!policies.includes(ANY_POLICY) || isAnyInhibited) valid = intersect(valid, policies);
      if (present.has(EXTENSION.policyMappings)) valid = new Set();
    }
    if (requiredAfter <= 0 && valid !== "any" && valid.size === 0)
      return "carries no policy that its authority requires";
    if (!isSelfIssued(certificate)) requiredAfter -= 1;
    if (requiresPolicyAfter !== undefined) requiredAfter = Math.min(requiredAfter, requiresPolicyAfter);
  }
  return requiredAfter <= 0 && valid !== "any" && valid.size === 0
    ? "carries no policy that its authority requires"
    : undefined;
}

function intersect(valid: ReadonlySet<string> | "any", policies: readonly string[]): ReadonlySet<string> {
  return new Set(policies.filter((each) => each !== ANY_POLICY && (valid === "any" || valid.has(each))));
}
