// Who sent a request: by bearer token or by a client certificate of the cluster's CA. Nobody is
// anonymous.

import type { TLSSocket } from "node:tls";
import { type ClusterRequest, fieldOf } from "./http-connection.ts";

/** An authenticated user. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly by: "token" | "certificate";
}

/** The user of a client certificate that the cluster's CA issued, or undefined. */
export function certificateUser(socket: TLSSocket): User | undefined {
  if (!socket.authorized) return undefined;
  const subject = socket.getPeerCertificate()?.subject as
    | Record<string, string | string[] | undefined>
    | undefined;
  if (subject?.CN === undefined) return undefined;
  return { name: String(subject.CN), groups: [subject.O ?? []].flat(), by: "certificate" };
}

/**
 * The user of a request. As in a real API server a valid certificate is asked first, and then nothing else is; whoever may
 * do everything may act as somebody else, who then has the groups that are named and no other (seen on 1.36.2).
 */
export function userOf(
  request: ClusterRequest,
  tokenUser: (token: string) => User | undefined,
  byCertificate: User | undefined,
): User | undefined {
  const user = byCertificate ?? bearer(request, tokenUser);
  const named = fieldOf(request, "impersonate-user");
  if (named === undefined || user === undefined || !user.groups.includes("system:masters")) return user;
  const groups = request.headers
    .filter(([name]) => name.toLowerCase() === "impersonate-group")
    .map(([, value]) => value);
  return { name: named, groups: [...groups, "system:authenticated"], by: user.by };
}

function bearer(request: ClusterRequest, tokenUser: (token: string) => User | undefined): User | undefined {
  const [scheme = "", token = ""] = (fieldOf(request, "authorization") ?? "").split(" ");
  return scheme.toLowerCase() === "bearer" ? tokenUser(token) : undefined;
}
