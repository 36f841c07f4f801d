// The secrets of one run. Its bridge proves itself by the token; what stands in the kubeconfig that the agent sees is
// made of the token's hash, so that it is good on this run's connections only and says nothing about the token.

/** How the daemon keeps a bridge's token. */
export function bridgeTokenHash(token: string): string {
  return new Bun.CryptoHasher("sha256").update(token).digest("hex");
}

/** What takes the place of the operator's overlay token in a run. */
export function overlayTokenOfRun(tokenHash: string): string {
  return new Bun.CryptoHasher("sha256").update(`overlay ${tokenHash}`).digest("hex");
}
