// The secrets of one run. Its bridge proves itself by the token; the password in the agent's
// kubeconfig is made of the token's hash, so that it is good on this run's connections only and
// says nothing about the token.

/** How the daemon keeps a bridge's token. */
export function bridgeTokenHash(token: string): string {
  return new Bun.CryptoHasher("sha256").update(token).digest("hex");
}

/** Derives the token that stands in a run for the operator's overlay token. */
export function overlayTokenOfRun(tokenHash: string): string {
  return new Bun.CryptoHasher("sha256").update(`overlay ${tokenHash}`).digest("hex");
}
