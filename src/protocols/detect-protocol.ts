// Which protocol a well-known host speaks, for `classify` where no policy route has
// said so. A guess by name only: the gateway itself never uses it, routes decide there.

import type { Protocol } from "../model/protocol.ts";
import { readAwsHost } from "./aws/endpoint.ts";

/** First match wins, so a cluster's host comes before the cloud that it is under. */
const HOSTS: readonly (readonly [pattern: RegExp, protocol: Protocol])[] = [
  [/(?:^|\.)eks\.amazonaws\.com(?:\.cn)?$/, "kubectl"],
  // Clusters with IPv6.
  [/\.eks-cluster\.[a-z0-9-]+\.(?:api\.aws|api\.amazonwebservices\.com\.cn)$/, "kubectl"],
  [/\.gke\.goog$/, "kubectl"],
  [/\.azmk8s\.(?:io|us|cn)$/, "kubectl"],
  [/\.k8s\.ondigitalocean\.com$/, "kubectl"],
  [/\.linodelke\.net$/, "kubectl"],
  [/(?:^|\.)kubernetes(?:\.default(?:\.svc(?:\.cluster\.local)?)?)?$/, "kubectl"],
  [/(?:^|\.)googleapis\.com$/, "gcloud"],
  // The login of gcloud.
  [/^accounts\.google\.com$/, "gcloud"],
  [/(?:^|\.)amazonaws\.com(?:\.cn)?$/, "aws"],
  [/\.(?:api|on)\.aws$/, "aws"],
  [/(?:^|\.)github\.com$/, "github"],
  [/\.githubusercontent\.com$/, "github"],
  [/^ghcr\.io$/, "github"],
  [/(?:^|\.)ghe\.com$/, "github"],
  [/^(?:app|app\.eu|registry|archivist|archivist\.eu)\.terraform\.io$/, "terraform"],
  [/^(?:releases|checkpoint-api)\.hashicorp\.com$/, "terraform"],
  [/^registry\.opentofu\.org$/, "terraform"],
  // `helm search hub` asks the second.
  [/^get\.helm\.sh$/, "helm"],
  [/^(?:hub\.helm\.sh|artifacthub\.io)$/, "helm"],
  [/^api\.(?:fed\.)?cloudflare\.com$/, "cloudflare"],
  // The login of wrangler.
  [/^dash\.cloudflare\.com$/, "cloudflare"],
  [/\.r2\.cloudflarestorage\.com$/, "cloudflare"],
  [/^(?:api|registry)\.fly\.io$/, "fly"],
  [/^api\.machines\.dev$/, "fly"],
  [/\.fly\.dev$/, "fly"],
];

/** The protocol of a host known by name (lower case, no port), else `generic`. */
export function guessProtocol(host: string): Protocol {
  for (const [pattern, protocol] of HOSTS) if (pattern.test(host)) return protocol;
  // Other partitions of AWS, its sign-in, its public registry.
  return readAwsHost(host).kind === "other" ? "generic" : "aws";
}
