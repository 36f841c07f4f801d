// Names the addresses that a run may not reach through the proxy: this machine itself. Browser
// debugging, Docker over TCP, databases and metadata services listen there and trust anyone who can
// connect. Decided on the dialled addresses, so that no name and no spelling gets around it.

import { networkInterfaces } from "node:os";
import { isLoopbackAddress, readAddress } from "../../match/destination.ts";
import type { Run } from "../request/runs/runs.ts";

/** Metadata services of clouds outside 169.254.0.0/16. */
const METADATA = new Set(["fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"]);

/**
 * Why a run may not connect there, in a clause; undefined when it may. `isRegistered` tells of an upstream that the
 * operator registered for exactly this host and port.
 */
export function refusedFromRun(
  run: Run | undefined,
  {
    host,
    port,
    addresses,
  }: { readonly host: string; readonly port: number; readonly addresses: readonly string[] },
  isRegistered: (host: string, port: number) => boolean,
): string | undefined {
  if (run === undefined) return undefined;
  const kind = addresses.map(localKind).find((each) => each !== undefined);
  if (kind === undefined || isRegistered(host, port)) return undefined;
  if (kind === LOOPBACK && run.localPorts.includes(port)) return undefined;
  return `a run must not connect to ${kind}${kind === LOOPBACK ? ` (allow it with --local-port ${port})` : ""}`;
}

const LOOPBACK = "this machine's loopback";

/** Says in which way an address is this machine; undefined when it is somewhere else. */
function localKind(address: string): string | undefined {
  if (isLoopbackAddress(address)) return LOOPBACK;
  const read = readAddress(address);
  if (read === undefined) return "an address that cannot be read";
  const [first = 0, second = 0] = read.parts;
  if (METADATA.has(read.text)) return "a metadata service";
  if (read.family === 4) {
    if (first === 0) return LOOPBACK;
    if (first === 169 && second === 254) return "a link-local address";
    if (first >= 224) return "a multicast or reserved address";
    // The resolver inside gives these out; outside they lead nowhere that a run asked for.
    if (first === 198 && (second & 0xfe) === 18) return "an address of the sandbox's own resolver";
  } else {
    if ((first & 0xffc0) === 0xfe80) return "a link-local address";
    if ((first & 0xff00) === 0xff00) return "a multicast or reserved address";
    // ::/96 and the translation prefix hold IPv4 addresses.
    const isEmbedded =
      read.parts.slice(0, 6).every((part) => part === 0) || (first === 0x64 && second === 0xff9b);
    if (isEmbedded) return embeddedKind(read.parts) ?? "an address with another one inside";
  }
  return isOwnAddress(read.text) ? "this machine's own address" : undefined;
}

function embeddedKind(parts: readonly number[]): string | undefined {
  const [high = 0, low = 0] = parts.slice(6);
  return localKind(`${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`);
}

function isOwnAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((each) =>
    each?.some((one) => readAddress(one.address)?.text === address),
  );
}
