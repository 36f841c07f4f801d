// Says of an answer that the request also acts in scopes which it does not name, in some of a kind
// or in every one. Knows no protocol: each classifier names those scopes, and the policy draws the
// consequences.

import type { Classification } from "../model/classification.ts";

/** The answer with these labels among its unnamed scopes, and so each of its parts; for none it stays as it is. */
export function withUnnamed(answer: Classification, scopes: readonly string[]): Classification {
  return withScopes(answer, "unnamedScopes", scopes);
}

/** The answer with these labels among its spanned scopes, and so each of its parts; for none it stays as it is. */
export function withSpanned(answer: Classification, scopes: readonly string[]): Classification {
  return withScopes(answer, "spannedScopes", scopes);
}

function withScopes(
  answer: Classification,
  field: "unnamedScopes" | "spannedScopes",
  scopes: readonly string[],
): Classification {
  if (scopes.length === 0) return answer;
  const added = { [field]: [...new Set([...(answer[field] ?? []), ...scopes])] };
  const { parts } = answer;
  return parts === undefined
    ? { ...answer, ...added }
    : { ...answer, ...added, parts: parts.map((part) => withScopes(part, field, scopes)) };
}
