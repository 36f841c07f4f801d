// Tells the kinds of destination hosts apart: a name or an address, and which sort of address.
// Strict about spelling: only dotted decimal and RFC 4291 text count as addresses, because `0x7f.1`
// and `2130706433` mean 127.0.0.1 to some resolvers and nothing to others.

import ipaddr from "ipaddr.js";

/** An address in numbers: four bytes for IPv4, eight 16-bit groups for IPv6. */
export interface AddressParts {
  readonly family: 4 | 6;
  readonly parts: readonly number[];
}

/** An address with the text that `canonicalAddress` gives. */
export interface Address extends AddressParts {
  readonly text: string;
}

type Parsed = ipaddr.IPv4 | ipaddr.IPv6;

// An IPv4-mapped IPv6 address reaches the same machine, so it must match the same entries.
function parse(host: string): Parsed | undefined {
  const text = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (!text.includes(":")) return undefined;
  const plain = text.includes(".") ? withoutDottedTail(text) : text;
  if (plain === undefined || !ipaddr.IPv6.isValid(plain)) return undefined;
  const address = ipaddr.IPv6.parse(plain);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

// ipaddr.js reads `::1.2.3.4` as the mapped `::ffff:1.2.3.4`, and allows leading zeros there; both are other addresses.
function withoutDottedTail(text: string): string | undefined {
  const [address = "", ...zone] = text.split("%");
  const cut = address.lastIndexOf(":") + 1;
  const tail = address.slice(cut);
  if (!ipaddr.IPv4.isValidFourPartDecimal(tail)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.parse(tail).octets;
  const groups = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  return [address.slice(0, cut) + groups, ...zone].join("%");
}

/** Whether this is a literal IPv4 or IPv6 address, in brackets or not; a zone (`%eth0`) is allowed. */
export function isAddress(host: string): boolean {
  return readAddress(host) !== undefined;
}

/** The one spelling of an address: RFC 5952, IPv4-mapped as IPv4, no brackets, no zone; undefined for anything else. */
export function canonicalAddress(host: string): string | undefined {
  return readAddress(host)?.text;
}

/** An address in its one spelling and in numbers; undefined for a name. */
export function readAddress(host: string): Address | undefined {
  let address = known.get(host);
  if (address === undefined) {
    address = addressOf(host) ?? null;
    if (known.size >= KNOWN_MAX) known.clear();
    if (host.length <= KNOWN_LENGTH) known.set(host, address);
  }
  return address ?? undefined;
}

/** Every connection asks about the same few hosts, several times each. */
const known = new Map<string, Address | null>();
const KNOWN_MAX = 1_024;
const KNOWN_LENGTH = 255;

function addressOf(host: string): Address | undefined {
  const address = parse(host);
  if (address === undefined) return undefined;
  if (!isIpv6(address)) return { text: address.toString(), family: 4, parts: address.octets };
  const { parts } = address;
  return { text: new ipaddr.IPv6(parts).toRFC5952String(), family: 6, parts };
}

/** The one spelling of a host: an address as `canonicalAddress` gives it, a name in lower case without its trailing dot. */
export function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  return canonicalAddress(lower) ?? (lower.endsWith(".") ? lower.slice(0, -1) : lower);
}

/**
 * The IPv4 address that an IPv6 one only wraps, so that a translator or a tunnel delivers to it: NAT64 (RFC 6052,
 * RFC 8215), 6to4, IPv4-translated and IPv4-compatible; undefined for any other. An IPv4-mapped one is read as IPv4
 * already.
 */
export function wrappedIpv4(host: string): string | undefined {
  const address = host.includes(":") ? readAddress(host) : undefined;
  if (address?.family !== 6) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = address.parts;
  if (a === 0x2002) return dotted(b, c);
  const isNat64 = a === 0x64 && b === 0xff9b && (c === 1 || (c | d | e | f) === 0);
  const isTranslated = (a | b | c | d) === 0 && e === 0xffff && f === 0;
  // `::` and `::1` wrap nothing.
  const isCompatible = (a | b | c | d | e | f) === 0 && (g !== 0 || h > 1);
  return isNat64 || isTranslated || isCompatible ? dotted(g, h) : undefined;
}

function dotted(high: number, low: number): string {
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** Whether an address is globally reachable: not private, shared, link-local, reserved, multicast or a translation prefix. False for names. */
export function isPublicAddress(host: string): boolean {
  const address = parse(host);
  if (address?.range() !== "unicast") return false;
  // Of IPv6 only 2000::/3 is global unicast (IANA's registry); the library calls everything else without a name so.
  return !isIpv6(address) || ((address.parts[0] ?? 0) & 0xe000) === 0x2000;
}

/** Whether connecting to this address ends on this machine: 127.0.0.0/8, ::1, and the unspecified addresses, which Linux takes for loopback. False for names. */
export function isLoopbackAddress(host: string): boolean {
  const range = parse(host)?.range();
  return range === "loopback" || range === "unspecified";
}

function isIpv6(address: Parsed): address is ipaddr.IPv6 {
  return address.kind() === "ipv6";
}
