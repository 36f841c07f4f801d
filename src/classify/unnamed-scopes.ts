// Says of an answer that the request also acts in scopes which it does not name. Knows no protocol: which scopes
// those are is each classifier's to tell, what follows from it the policy's.

import type { Classification } from "../model/classification.ts";

/** The answer with these labels among its unnamed scopes, and so each of its parts; for none it stays as it is. */
export function withUnnamed(answer: Classification, scopes: readonly string[]): Classification {
  if (scopes.length === 0) return answer;
  const unnamedScopes = [...new Set([...(answer.unnamedScopes ?? []), ...scopes])];
  const { parts } = answer;
  return parts === undefined
    ? { ...answer, unnamedScopes }
    : { ...answer, unnamedScopes, parts: parts.map((part) => withUnnamed(part, scopes)) };
}
