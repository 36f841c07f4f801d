// The line beside an open socket that a run's bridge hands to the daemon: the program asked for
// the proxy itself, or meant to go elsewhere and was caught.

const PROXY = "PROXY\n";

/** The line; `caught` is host:port, undefined for a connection to the proxy. */
export function handedOverLine(caught: string | undefined): string {
  return caught === undefined ? PROXY : `CAUGHT ${caught}\n`;
}

/** Reads it; undefined when it is none. */
export function readHandedOver(line: string): { readonly caught?: string } | undefined {
  if (line === PROXY) return {};
  const caught = /^CAUGHT ([!-~]+)\n$/.exec(line)?.[1];
  return caught === undefined ? undefined : { caught };
}
