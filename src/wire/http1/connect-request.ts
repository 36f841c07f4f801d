// Where a proxy request wants to go: `host:port` of CONNECT and Host, and absolute-form targets.
// One spelling per destination comes out (lower case, no trailing dot, RFC 5952, IPv4-mapped as
// IPv4, unspecified as loopback), and whatever resolvers and URL parsers read differently
// (inet_aton numbers, userinfo) is refused.

import { AUTHORITY, isAll, TARGET } from "../octet-class.ts";

/** A destination by name or address; IPv6 without brackets, the host in the spelling of `canonicalHost`. */
export interface HostAuthority {
  readonly host: string;
  readonly port: number;
}

/** An absolute-form target taken apart. */
export interface AbsoluteTarget extends HostAuthority {
  readonly scheme: "http" | "https";
  /** The origin form to send upstream: path and query as sent, "/" when there was none. */
  readonly target: string;
  /** The authority as sent, to be compared with the Host field. */
  readonly authority: string;
}

/** Reads `host`, `host:port`, `[v6]` or `[v6]:port`; undefined when malformed, or without a port and no default. */
export function parseAuthority(text: string, defaultPort?: number): HostAuthority | undefined {
  const read = parseListenAddress(text, defaultPort);
  // Anyone who connects to the unspecified address reaches loopback: it is the same destination.
  if (read?.host === "0.0.0.0") return { host: "127.0.0.1", port: read.port };
  return read?.host === "::" ? { host: "::1", port: read.port } : read;
}

/** The same for an address to listen on, where the unspecified one means every address of this machine. */
export function parseListenAddress(text: string, defaultPort?: number): HostAuthority | undefined {
  const bracketed = text.charCodeAt(0) === 0x5b;
  const hostEnd = bracketed ? text.indexOf("]") + 1 : indexOrEnd(text, ":");
  const host = bracketed ? parseIpv6(text.slice(1, hostEnd - 1)) : parseHostname(text.slice(0, hostEnd));
  if (host === undefined) return undefined;
  if (hostEnd === text.length) return defaultPort === undefined ? undefined : { host, port: defaultPort };
  if (text.charCodeAt(hostEnd) !== 0x3a) return undefined;
  const port = parsePort(text.slice(hostEnd + 1));
  return port === undefined ? undefined : { host, port };
}

/** Reads `http://host[:port]/path?query`; undefined for other schemes, userinfo, or a malformed authority. */
export function parseAbsoluteTarget(target: string): AbsoluteTarget | undefined {
  if (!isAll(target, TARGET)) return undefined;
  const head = target.slice(0, 8).toLowerCase();
  const scheme = head === "https://" ? "https" : head.startsWith("http://") ? "http" : undefined;
  if (scheme === undefined) return undefined;
  const start = scheme.length + 3;
  const end = Math.min(indexOrEnd(target, "/", start), indexOrEnd(target, "?", start));
  const authority = target.slice(start, end);
  const destination = parseAuthority(authority, scheme === "https" ? 443 : 80);
  if (destination === undefined) return undefined;
  const rest = target.slice(end);
  return { ...destination, scheme, authority, target: rest.startsWith("/") ? rest : `/${rest}` };
}

function indexOrEnd(text: string, character: string, from = 0): number {
  const index = text.indexOf(character, from);
  return index < 0 ? text.length : index;
}

/** 1 to 65535 in plain decimal, without leading zeros. */
function parsePort(text: string): number | undefined {
  if (text.length === 0 || text.length > 5 || text.charCodeAt(0) === 0x30) return undefined;
  let port = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    port = port * 10 + digit;
  }
  return port <= 65_535 ? port : undefined;
}

/** A DNS name (underscores allowed, as in real zones) or a dotted quad; lower case, one trailing dot dropped. */
function parseHostname(text: string): string | undefined {
  // Checked before it is lowered: the Kelvin sign, for one, would come out as a plain "k".
  if (!isAll(text, AUTHORITY)) return undefined;
  const name = (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
  if (name.length === 0 || name.length > 253) return undefined;
  let labelLength = 0;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code === 0x2e) {
      if (labelLength === 0) return undefined;
      labelLength = 0;
      continue;
    }
    if (!isLabelCharacter(code) || ++labelLength > 63) return undefined;
  }
  if (labelLength === 0) return undefined;
  const last = name.slice(name.lastIndexOf(".") + 1);
  // The URL standard's "ends in a number": resolvers take such names for addresses in octal, hex or short form.
  if (!looksNumeric(last)) return name;
  return text.endsWith(".") ? undefined : parseDottedQuad(name) === undefined ? undefined : name;
}

function isLabelCharacter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x5f;
}

function looksNumeric(label: string): boolean {
  const isHex = label.startsWith("0x");
  for (let i = isHex ? 2 : 0; i < label.length; i++) {
    const code = label.charCodeAt(i);
    const isDigit = code >= 0x30 && code <= 0x39;
    if (!isDigit && !(isHex && code >= 0x61 && code <= 0x66)) return false;
  }
  return true;
}

/** The 32 bits of a strict dotted quad: four decimal numbers without leading zeros. */
function parseDottedQuad(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let bits = 0;
  for (const part of parts) {
    if (part.length === 0 || part.length > 3 || (part.length > 1 && part.startsWith("0"))) return undefined;
    const value = looksNumeric(part) ? Number(part) : 256;
    if (value > 255) return undefined;
    bits = bits * 256 + value;
  }
  return bits;
}

/** An IPv6 address in RFC 5952 spelling; zone ids are refused, they mean nothing to another machine. */
function parseIpv6(text: string): string | undefined {
  const lower = text.toLowerCase();
  const halves = lower.split("::");
  if (halves.length > 2 || lower.length < 2) return undefined;
  const head = parseGroups(halves[0] as string, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] as string, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  return formatIpv6([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** Groups between colons as 16-bit numbers; a dotted quad may stand at the very end. */
function parseGroups(text: string, mayEndInQuad: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (mayEndInQuad && index === parts.length - 1 && part.includes(".")) {
      const quad = parseDottedQuad(part);
      if (quad === undefined) return undefined;
      groups.push(Math.floor(quad / 65_536), quad % 65_536);
    } else {
      if (part.length === 0 || part.length > 4 || !looksNumeric(`0x${part}`)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/** RFC 5952; an IPv4-mapped address reaches the same machine as the IPv4 one, so it is that one. */
function formatIpv6(groups: readonly number[]): string {
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6);
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > bestLength) {
      bestStart = start;
      bestLength = length;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestStart < 0) return hex.join(":");
  return `${hex.slice(0, bestStart).join(":")}::${hex.slice(bestStart + bestLength).join(":")}`;
}
