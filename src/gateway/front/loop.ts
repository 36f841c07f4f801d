// Tells a request to the gateway itself, which would call itself until something breaks, and one to
// its console, which trusts anyone who connects from this machine's loopback as this user.

import { networkInterfaces } from "node:os";
import { isLoopbackAddress } from "../../match/destination.ts";

/** Whether a destination is the gateway's own listener, by any address of this machine. */
export function isLoop(
  listen: { readonly host: string; readonly port: number },
  addresses: readonly string[],
  port: number,
): boolean {
  if (port !== listen.port) return false;
  return addresses.some((address) => {
    if (address === listen.host) return true;
    if (isAny(address)) return true;
    if (isLoopbackAddress(listen.host)) return isLoopbackAddress(address) && sameFamily(address, listen.host);
    return isAny(listen.host) && (isLoopbackAddress(address) || isOwnAddress(address));
  });
}

/** Whether a destination is another port of this daemon, in whatever spelling: nobody comes to the console by the proxy. */
export function isOwnPort(ports: ReadonlySet<number>, addresses: readonly string[], port: number): boolean {
  return (
    ports.has(port) && addresses.some((each) => isLoopbackAddress(each) || isAny(each) || isOwnAddress(each))
  );
}

function isAny(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** 127.0.0.2 does not reach a listener on 127.0.0.1, but anyone who dials it there means to get around this check. */
function sameFamily(a: string, b: string): boolean {
  return a.includes(":") === b.includes(":");
}

function isOwnAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((each) => each?.some((one) => one.address === address));
}
