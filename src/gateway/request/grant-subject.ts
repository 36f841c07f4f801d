// Says what `approval allow --for` covers. Granting and looking up both take it from an ask here,
// so that they can never disagree.

import type { Ask } from "../../model/ask.ts";
import type { GrantSubject } from "../../state/tables/grants.ts";

/**
 * The subject of a grant for asks like this one. A grant of one run is not another's, and not one outside of any: not
 * even of a later run with its name.
 */
export function grantSubject({ carrier, target, operation, subject }: Ask): GrantSubject {
  const { protocol, tier, command } = operation;
  const runId = subject.client?.run_id;
  const labels = runId === undefined ? operation.labels : { ...operation.labels, run: runId };
  const { credential } = subject;
  return { carrier, protocol, host: target.name, port: target.port, tier, command, labels, credential };
}

/**
 * Why an ask may only be let through once, in a clause; undefined when others like it may be let through for
 * a while. Never break-glass, never an unclassified ask, never one without a credential, because that grant
 * would be for everybody, never a batch whose parts one label cannot name, and never a change in a place that
 * it does not name: the grant would be for all of them.
 */
export function onceOnlyReason(ask: Ask): string | undefined {
  const problem = scopeProblem(ask);
  if (problem !== undefined) return problem;
  return ask.subject.credential === "" ? "it carries no credential to know others like it by" : undefined;
}

/** Says as a clause why no grant may cover this ask together with others; undefined when one may. */
export function scopeProblem({ operation }: Ask): string | undefined {
  const { tier, command, parts, unnamedScopes = [], spannedScopes = [] } = operation;
  if (tier === "break-glass" || tier === "unknown") return `its tier is ${tier}`;
  if (command === "") return "its command is not known";
  if (parts !== undefined) return "it is several operations in one";
  const scopes = [...unnamedScopes, ...spannedScopes];
  if (tier !== "observe" && scopes.length > 0) return `it does not name its ${scopes.join(" and ")}`;
  return undefined;
}
