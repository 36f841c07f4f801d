// Where a credential may go: its hosts, its cluster, verified TLS, its own user, and operations
// that iddio knows. The same for what iddio holds and for tokens that were given out with it.

import type { LendingRequest } from "../../gateway/request/contracts/credential-release.ts";
import { impersonationProblem, isBelowPrefix } from "./impersonation.ts";
import { isForHost, kindOf } from "./kinds.ts";
import type { StoredCredential } from "./stored-credential.ts";

/** The path prefix of the registered cluster that a target is for; "" for none. */
export type PrefixOf = (host: string, port: number, target: string) => string;

/** Methods that send back what they got, or that carry no request. */
const NEVER: ReadonlySet<string> = new Set(["TRACE", "TRACK", "CONNECT"]);

/** Why a credential does not go with a request, as a clause; undefined when it does. */
export function whyNotLent(
  { kind, hosts, origin }: StoredCredential,
  request: LendingRequest,
  prefixOf: PrefixOf,
): string | undefined {
  const { head } = request;
  if (!isForHost([...kindOf(kind).hosts, ...hosts], head.host, head.port))
    return `is not for ${head.host}:${head.port}`;
  if ("cluster" in origin) {
    const { prefix } = origin.cluster;
    // Another cluster may be registered further below.
    const isDeeper = prefixOf(head.host, head.port, head.target).length > prefix.length;
    if (isDeeper || !isBelowPrefix(prefix, head.target)) return "is for another cluster of that server";
  }
  return whyNotAnywhere(request) ?? impersonationProblem(origin, head.headers);
}

/** Why no credential goes with a request, whatever its host. */
export function whyNotAnywhere({ head, lender, operation }: LendingRequest): string | undefined {
  if (!lender.isOwnUser) return "is lent to no other user";
  if (!lender.isVerified) return "is not sent without TLS";
  if (NEVER.has(head.method)) return `is not sent with ${head.method}`;
  if (operation.tier === "unknown") return "is not sent with a request that iddio does not know";
  return undefined;
}
