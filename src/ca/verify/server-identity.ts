// Whether a server's certificate carries the name that was asked for (RFC 9525). Only subject
// alternative names count, never the common name: a client behind iddio cannot check by itself any
// more, so this must be no laxer than the strictest client.

import { isIP } from "node:net";
import type { GeneralName } from "../certificates/general-name.ts";
import { isRegistrySuffix } from "./registry-suffix.ts";

/** Whether one of `names` is `name`, a host name or the text of an address. */
export function isNamed(name: string, names: readonly GeneralName[]): boolean {
  if (isIP(name) !== 0) {
    const address = canonicalAddress(name);
    return names.some((each) => each.kind === "address" && addressText(each.bytes) === address);
  }
  const host = name.toLowerCase();
  return (
    isHost(host) && names.some((each) => each.kind === "dns" && isHostMatch(host, each.name.toLowerCase()))
  );
}

function isHost(name: string): boolean {
  return (
    name.length <= 253 &&
    /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/.test(name)
  );
}

/** A wildcard is the whole first label and stands for exactly one; never for all names below a registry's suffix. */
function isHostMatch(host: string, pattern: string): boolean {
  if (!pattern.startsWith("*.")) return host === pattern;
  const base = pattern.slice(2);
  const dot = host.indexOf(".");
  return dot > 0 && host.slice(dot + 1) === base && isHost(base) && !isRegistrySuffix(base);
}

/** The text that RFC 5952 gives an address, or undefined when the bytes are of no address. */
export function addressText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return undefined;
  const words = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return canonicalAddress(words.join(":"));
}

function canonicalAddress(text: string): string {
  return isIP(text) === 6 ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
}

/** Whether a text reads as a host name of several labels, also one that was left in its own script. */
export function isHostText(text: string): boolean {
  return /^(?:\*\.)?[^\s.@:/\\,;'"()]+(?:\.[^\s.@:/\\,;'"()]+)+$/u.test(text);
}
