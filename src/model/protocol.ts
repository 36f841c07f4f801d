// The protocols that policy.yaml may be keyed by, in the order in which `status` and `inspect
// summary` print them. This is the one list: a protocol is a folder of that name in src/protocols
// and a line here.

/** Every protocol key, in print order. */
export const PROTOCOLS = [
  "kubectl",
  "gcloud",
  "aws",
  "github",
  "terraform",
  "helm",
  "cloudflare",
  "fly",
  "ssh",
  "mcp",
  "generic",
] as const;

/** A protocol key of policy.yaml. */
export type Protocol = (typeof PROTOCOLS)[number];

/** Whether an outside value names a protocol. */
export function isProtocol(value: unknown): value is Protocol {
  return PROTOCOLS.includes(value as Protocol);
}
