// One entry of an `inspect:` list: a host, `*.suffix` of any depth, a glob, an address or a CIDR
// block, each with an optional `:port`, and for SSH an optional `user@`. Owns how entries are read
// and which of two is more specific; which protocol an entry belongs to is the policy's. An entry
// that is refused here would otherwise never match, so its host would never be judged.

import { type AddressParts, canonicalAddress, readAddress } from "./destination.ts";
import { compileGlob, type Glob } from "./glob.ts";
import { checkHostName } from "./host-name.ts";

/** How an entry is matched; `any` is `*` alone. */
export type EntryKind = "host" | "suffix" | "glob" | "address" | "cidr" | "any";

/** A network: the numbers of its first address, and how many leading bits count. */
export interface Network extends AddressParts {
  readonly prefix: number;
}

/** A parsed entry. */
export interface InspectEntry {
  /** As written. */
  readonly text: string;
  readonly kind: EntryKind;
  /** Canonical: lower case, no trailing dot, no port; of a suffix without the `*`, `.eks.amazonaws.com`. */
  readonly host: string;
  /** Of `user@host`, which only SSH has; undefined: any user. */
  readonly user: string | undefined;
  /** Undefined: any port (`:*` says the same). */
  readonly port: number | undefined;
  /** Ranks entries that match the same destination: exact host with port, exact host, longer suffix, smaller CIDR, glob, `*`. */
  readonly specificity: number;
  /** `*` and what equals it: nothing in the entry is fixed. Legal under `generic` only. */
  readonly isCatchAll: boolean;
  /** Alternatives of a glob; empty for other kinds. */
  readonly globs: readonly Glob[];
  /** Of a CIDR block. */
  readonly network: Network | undefined;
}

type Problem = { readonly problem: string };
type Body = Pick<InspectEntry, "kind" | "host"> & Partial<Pick<InspectEntry, "globs" | "network">>;

const RANKS: Readonly<Record<EntryKind, number>> = {
  address: 5,
  host: 5,
  suffix: 4,
  cidr: 3,
  glob: 2,
  any: 1,
};

/**
 * Reads one entry, or says in one clause what is wrong with it and how to write it. `defaultPort`: the port of an entry
 * that names none; without it such an entry is for any.
 */
export function parseInspectEntry(
  text: string,
  defaultPort?: number,
  hasUsers = false,
): { readonly entry: InspectEntry } | Problem {
  if (text === "") return { problem: "the entry is empty" };
  if (/\s/.test(text)) return { problem: "the entry holds white space" };
  if (text.includes("://")) return { problem: "write the host alone, without scheme and path" };
  const at = hasUsers ? text.lastIndexOf("@") : -1;
  const user = at < 0 ? undefined : text.slice(0, at);
  if (user !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(user))
    return { problem: `'${user}' is not the name of a user` };
  const split = splitPort(text.slice(at + 1).toLowerCase());
  if ("problem" in split) return split;
  const body = readBody(split.host);
  if ("problem" in body) return body;
  return { entry: finish(text, body, split.hasPort ? split.port : defaultPort, user) };
}

function splitPort(
  text: string,
): { readonly host: string; readonly port: number | undefined; readonly hasPort: boolean } | Problem {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed !== null && (bracketed[1] ?? "").includes(":"))
    return withPort(bracketed[1] ?? "", bracketed[2]);
  const colon = text.lastIndexOf(":");
  // More than one colon is an IPv6 address or network, which takes a port only in brackets.
  if (colon < 0 || text.indexOf(":") !== colon) return { host: text, port: undefined, hasPort: false };
  return withPort(text.slice(0, colon), text.slice(colon + 1));
}

function withPort(host: string, port: string | undefined): ReturnType<typeof splitPort> {
  if (port === undefined || port === "*") return { host, port: undefined, hasPort: port !== undefined };
  const value = Number(port);
  if (!/^[1-9]\d{0,4}$/.test(port) || value > 65535)
    return { problem: `'${port}' is not a port; write a number from 1 to 65535, or '*'` };
  return { host, port: value, hasPort: true };
}

function readBody(text: string): Body | Problem {
  const host = text.length > 1 && text.endsWith(".") ? text.slice(0, -1) : text;
  if (host === "") return { problem: "the host is empty" };
  if (/^\*+$/.test(host)) return { kind: "any", host: "*" };
  if (host.includes("/")) return readCidr(host);
  const address = canonicalAddress(host);
  if (address !== undefined) return { kind: "address", host: address };
  if (host.includes(":"))
    return { problem: "this is not an IPv6 address; a range is written as CIDR, fd00::/8" };
  if (!/[*?[\]{}]/.test(host)) return readName(host);
  return readPattern(host.replace(/\*{2,}/g, "*"));
}

function readName(host: string): Body | Problem {
  if (/^\.[^.]/.test(host)) return { problem: `write '*${host}' for every host below '${host.slice(1)}'` };
  const problem = checkHostName(host);
  return problem === undefined ? { kind: "host", host } : { problem };
}

function readPattern(host: string): Body | Problem {
  if (host.startsWith("*.") && !/[*?[\]{}]/.test(host.slice(2))) {
    const problem = checkHostName(host.slice(2), { isSuffix: true });
    return problem === undefined ? { kind: "suffix", host: host.slice(1) } : { problem };
  }
  if (/[^\p{ASCII}]/u.test(host))
    return { problem: "write the international part of a pattern as clients send it, beginning with 'xn--'" };
  const odd = /[^a-z0-9._\-*?[\]{},!^]/.exec(host);
  if (odd !== null) return { problem: `'${odd[0]}' cannot be part of a host pattern` };
  if (/(^|[^*}\]])\.\./.test(host) || host.startsWith("."))
    return { problem: "a label of the host is empty" };
  const compiled = compileGlob(host);
  return "problem" in compiled ? compiled : { kind: "glob", host, globs: compiled.globs };
}

function readCidr(host: string): Body | Problem {
  const [base = "", length = "", ...more] = host.split("/");
  const address = readAddress(base);
  if (address === undefined || more.length > 0)
    return { problem: "this is neither a host nor a CIDR block such as 10.0.0.0/8; paths cannot be listed" };
  // A block of IPv4-mapped addresses is counted in IPv6 bits but matched as IPv4.
  const offset = address.family === 4 && base.includes(":") ? 96 : 0;
  const most = address.family === 4 ? 32 : 128;
  const prefix = Number(length) - offset;
  if (!/^\d{1,3}$/.test(length) || prefix < 0 || prefix > most)
    return {
      problem: `"/${length}" is not a prefix length; write a number from ${offset} to ${most + offset}`,
    };
  const { family, parts, text } = address;
  return { kind: "cidr", host: `${text}/${prefix}`, network: { family, parts, prefix } };
}

function finish(text: string, body: Body, port: number | undefined, user: string | undefined): InspectEntry {
  const { kind, host, globs = [], network } = body;
  const isCatchAll =
    kind === "any" ||
    (kind === "cidr" && network?.prefix === 0) ||
    // Dots fix nothing: `*.*` is every name that has one.
    (kind === "glob" && globs.some((glob) => !/[a-z0-9_-]/.test(glob.fixed)));
  const rank = isCatchAll ? RANKS.any : RANKS[kind];
  const specificity = rank * 10_000 + measure(kind, host, globs, network) * 2 + (port === undefined ? 0 : 1);
  return { text, kind, host, user, port, specificity, isCatchAll, globs, network };
}

function measure(
  kind: EntryKind,
  host: string,
  globs: readonly Glob[],
  network: Network | undefined,
): number {
  if (kind === "suffix") return host.length;
  if (kind === "cidr") return network?.prefix ?? 0;
  if (kind === "glob") return globs.reduce((least, glob) => Math.min(least, glob.fixed.length), 255);
  return 0;
}
