// What `approval allow --for` covers, taken from a classified request in one place, so that
// granting and looking up can never disagree.

import type { Classification } from "../../model/classification.ts";
import type { ClientIdentity } from "../../model/entry.ts";
import type { RequestHead } from "../../model/request.ts";
import type { GrantSubject } from "../../state/grants.ts";
import { credentialOf } from "./fingerprint.ts";

/** What of a request a grant is about. */
interface Granted {
  readonly client: ClientIdentity | undefined;
  readonly head: RequestHead;
  readonly identity: string;
}

/** A grant of one run is not another's, and not one outside of any: not even of a later run with its name. */
export function grantLabels(
  labels: Readonly<Record<string, string>>,
  client: ClientIdentity | undefined,
): Readonly<Record<string, string>> {
  return client?.run_id === undefined ? labels : { ...labels, run: client.run_id };
}

/** The subject of a grant for requests like this one. */
export function grantSubject(
  { head, identity, client }: Granted,
  classification: Classification,
): GrantSubject {
  const { protocol, tier, command } = classification;
  const labels = grantLabels(classification.labels, client);
  const credential = credentialOf(protocol, head, identity, client?.run_id);
  return { protocol, host: head.host, port: head.port, tier, command, labels, credential };
}

/**
 * Why a request may only be let through once, in a clause; undefined when others like it may be let through for a
 * while. Never break-glass, never what could not be classified, never without a credential, which would be for
 * everybody, never a batch whose parts one label cannot name, and never a change in a place that it does not name: the grant would be for all of them.
 */
export function onceOnlyReason(classification: Classification, credential: string): string | undefined {
  const { tier, command, parts, unnamedScopes = [], spannedScopes = [] } = classification;
  if (tier === "break-glass" || tier === "unknown") return `its tier is ${tier}`;
  if (command === "") return "its command is not known";
  if (parts !== undefined) return "it is several operations in one";
  const scopes = [...unnamedScopes, ...spannedScopes];
  if (tier !== "observe" && scopes.length > 0) return `it does not name its ${scopes.join(" and ")}`;
  if (credential === "") return "it carries no credential to know others like it by";
  return undefined;
}
