// Who sent a request: by bearer token or by a client certificate of the cluster's CA. Nobody is anonymous.

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

/** The user of a request. As in a real API server a valid certificate is asked first, and then nothing else is. */
export function userOf(
  request: ClusterRequest,
  tokens: ReadonlyMap<string, User>,
  byCertificate: User | undefined,
): User | undefined {
  if (byCertificate !== undefined) return byCertificate;
  const [scheme = "", token = ""] = (fieldOf(request, "authorization") ?? "").split(" ");
  return scheme.toLowerCase() === "bearer" ? tokens.get(token) : undefined;
}
