// The kinds of credentials: the hosts of each, the form of its placeholder and the variable that
// the tool reads it from. A placeholder has the shape of the real thing, so that clients which
// check the shape take it.

import { isIP } from "node:net";

/** The kinds of tokens. */
export const CREDENTIAL_KINDS = [
  "github",
  "cloudflare",
  "fly",
  "google",
  "aws",
  "kubernetes",
  "generic",
] as const;

/** The service that a credential is for, which gives its hosts and its placeholder. */
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

interface Kind {
  /** Hosts that it is always for: exact, or everything below a name that begins with a dot. */
  readonly hosts: readonly string[];
  /** Variables that tools read it from, the first is what `credentials env` prints. */
  readonly variables: readonly string[];
  /** The placeholder of 30 random bytes. */
  shape(random: Uint8Array): string;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Letters and digits, as many as asked for; the bytes repeat after that. */
function letters(random: Uint8Array, length: number): string {
  return Array.from({ length }, (_, at) => ALPHABET[((random[at % random.length] ?? 0) + at * 7) % 62]).join(
    "",
  );
}

const KINDS: Readonly<Record<CredentialKind, Kind>> = {
  github: {
    hosts: [
      "api.github.com",
      "github.com",
      "uploads.github.com",
      "codeload.github.com",
      "raw.githubusercontent.com",
      "ghcr.io",
    ],
    variables: ["GH_TOKEN", "GITHUB_TOKEN"],
    shape: (random) => `ghp_${letters(random, 36)}`,
  },
  cloudflare: {
    hosts: ["api.cloudflare.com"],
    variables: ["CLOUDFLARE_API_TOKEN"],
    shape: (random) => letters(random, 40),
  },
  fly: {
    hosts: ["api.machines.dev", "api.fly.io", "registry.fly.io"],
    variables: ["FLY_API_TOKEN"],
    shape: (random) => `FlyV1 fm2_${Buffer.from(random).toString("base64")}`,
  },
  google: {
    hosts: [".googleapis.com"],
    variables: ["CLOUDSDK_AUTH_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN"],
    shape: (random) => `ya29.${letters(random, 60)}`,
  },
  // Requests to the endpoints of its services are signed again; a client's placeholder keys are made in
  // aws/placeholder-keys.ts.
  aws: {
    hosts: [],
    variables: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    shape: (random) => `AKIAI${letters(random, 15).toUpperCase()}`,
  },
  // Its cluster is its only host; the overlay kubeconfig has the placeholder.
  kubernetes: {
    hosts: [],
    variables: [],
    shape: (random) => `iddio-${letters(random, 48)}`,
  },
  generic: {
    hosts: [],
    variables: [],
    shape: (random) => `iddio_${Buffer.from(random).toString("hex")}`,
  },
};

/** The description of a kind. */
export function kindOf(kind: CredentialKind): Kind {
  return KINDS[kind];
}

/** Whether a credential that is for `hosts` may go to `host`, port and all: `host`, `host:port` or `.domain`. */
export function isForHost(hosts: readonly string[], host: string, port: number): boolean {
  return hosts.some((entry) => {
    const [name = "", own = "443"] = entry.split(/:(?=\d+$)/);
    if (Number(own) !== port) return false;
    if (name.startsWith(".")) return isIP(host) === 0 && host.endsWith(name);
    return name.replace(/^\[(.*)\]$/, "$1") === host;
  });
}
