// Which protocol a well-known host speaks, for `classify` where no policy route has
// said so. A guess by name only: the gateway itself never uses it, routes decide there.

import type { Protocol } from "../model/protocol.ts";

/** First match wins, so a cluster's host comes before the cloud that it is under. */
const HOSTS: readonly (readonly [pattern: RegExp, protocol: Protocol])[] = [
  [/(?:^|\.)eks\.amazonaws\.com(?:\.cn)?$/, "kubectl"],
  [/\.gke\.goog$/, "kubectl"],
  [/\.azmk8s\.(?:io|us|cn)$/, "kubectl"],
  [/\.k8s\.ondigitalocean\.com$/, "kubectl"],
  [/\.linodelke\.net$/, "kubectl"],
  [/(?:^|\.)kubernetes(?:\.default(?:\.svc(?:\.cluster\.local)?)?)?$/, "kubectl"],
  [/(?:^|\.)googleapis\.com$/, "gcloud"],
  [/(?:^|\.)amazonaws\.com(?:\.cn)?$/, "aws"],
  [/\.api\.aws$/, "aws"],
  [/(?:^|\.)github\.com$/, "github"],
  [/(?:^|\.)ghe\.com$/, "github"],
  [/^(?:app|registry)\.terraform\.io$/, "terraform"],
  [/^registry\.opentofu\.org$/, "terraform"],
  [/^get\.helm\.sh$/, "helm"],
  [/^api\.cloudflare\.com$/, "cloudflare"],
  [/^api\.fly\.io$/, "fly"],
  [/^api\.machines\.dev$/, "fly"],
  [/\.fly\.dev$/, "fly"],
];

/** The protocol of a host known by name (lower case, no port), else `generic`. */
export function guessProtocol(host: string): Protocol {
  for (const [pattern, protocol] of HOSTS) if (pattern.test(host)) return protocol;
  return "generic";
}
