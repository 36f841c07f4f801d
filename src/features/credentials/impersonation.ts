// Impersonation of a cluster's users: the operator's own identity goes out, and beside it the
// fields that make it act as somebody who may do less. It must not fail open: who acts is said by
// iddio alone, and the operator's client certificate never goes without it.

import type { LendingRequest } from "../../gateway/request/contracts/credential-release.ts";
import type { Header } from "../../model/request.ts";
import { putIn } from "./placeholder.ts";
import type { ImpersonationOrigin, Origin } from "./stored-credential.ts";

/** Fields that say who acts, also as a proxy that reads `_` for `-` would spell them. */
const IDENTITY = /^(?:impersonate|x[-_]remote)[-_]/i;

/** Why a request may not have the identity, as a clause; undefined when it may. */
export function impersonationProblem(origin: Origin, headers: readonly Header[]): string | undefined {
  if (origin.from !== "impersonation") return undefined;
  const named = headers.find(([name]) => IDENTITY.test(name))?.[0];
  return named === undefined
    ? undefined
    : `acts as '${origin.user}' already, so the request may not say ${named.replace(/[^\w-]/g, "?").slice(0, 60)}`;
}

/** The fields with the operator's token in place of the placeholder, and with who acts. */
export function impersonated(
  headers: readonly Header[],
  { operator, user, groups }: ImpersonationOrigin,
  placeholder: string,
  token: string,
): readonly Header[] {
  const proven =
    operator.kind === "certificate"
      ? headers.filter(([, value]) => !value.includes(placeholder))
      : putIn(headers, placeholder, token);
  return [
    ...proven,
    ["Impersonate-User", user],
    ...groups.map((group) => ["Impersonate-Group", group] as const),
  ];
}

/** Whether a request would have the operator's client certificate at a server without saying who acts. */
export function bypassesImpersonation(origin: Origin, { head, identity }: LendingRequest): boolean {
  return (
    identity !== "" &&
    origin.from === "impersonation" &&
    origin.operator.kind === "certificate" &&
    origin.cluster.host === head.host &&
    origin.cluster.port === head.port
  );
}

/** Whether a target lies below a cluster's path prefix. */
export function isBelowPrefix(prefix: string, target: string): boolean {
  return prefix === "" || (target.startsWith(prefix) && /^[/?]/.test(target.slice(prefix.length)));
}
