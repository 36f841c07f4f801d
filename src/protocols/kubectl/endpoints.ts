// Paths of the API server that are no resources: discovery, health, version, metrics.
// A closed list, because an unlisted path may be anything that a vendor mounted there.

import type { TierOrUnknown } from "../../model/tier.ts";

/** Tier, command and reason of a request for one of the server's own paths. */
export interface EndpointAnswer {
  readonly tier: TierOrUnknown;
  readonly command: string;
  readonly reason: string;
}

/** First segments whose whole subtree is for reading. */
export const READABLE: ReadonlySet<string> = new Set([
  "version",
  "healthz",
  "livez",
  "readyz",
  "statusz",
  "flagz",
  "configz",
  "openapi",
  "openid",
  "metrics",
  "debug",
  "swagger.json",
  "swaggerapi",
  "swagger-2.0.0.json",
  "swagger-2.0.0.pb-v1",
  "swagger-2.0.0.pb-v1.gz",
]);

/** Classifies the decoded segments of a non-resource path. */
export function classifyEndpoint(segments: readonly string[], method: string): EndpointAnswer {
  const [first, second] = segments;
  const verb = method.toLowerCase();
  const isDiscovery = first === undefined || first === "api" || first === "apis";
  const command = `${isDiscovery ? "discovery" : first} ${verb}`;
  if (method !== "GET" && method !== "HEAD" && method !== "OPTIONS")
    return { tier: "unknown", command, reason: `${method} on a path of the API server itself` };
  if (isDiscovery) return { tier: "observe", command, reason: "API discovery" };
  if (first === "debug" && second === "pprof")
    return { tier: "sensitive", command, reason: "a profile shows the server's memory" };
  // The API server's own directory of logs, audit logs with request bodies among them.
  if (first === "logs")
    return { tier: "sensitive", command, reason: "the server's logs may hold what requests carried" };
  if (READABLE.has(first)) return { tier: "observe", command, reason: `reads the server's /${first}` };
  if (first === ".well-known" && second === "openid-configuration")
    return { tier: "observe", command, reason: "OpenID discovery" };
  return { tier: "unknown", command: "", reason: "neither a resource nor a known path of the API server" };
}
