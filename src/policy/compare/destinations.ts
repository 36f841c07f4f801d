// One destination of each kind that inspect entries can tell apart: a host for every combination
// of names and patterns, an address inside and one beside every network, each at every port that
// an entry names and at one that none does.

import { type AddressParts, canonicalAddress } from "../../match/destination.ts";
import { compileGlob, type Glob } from "../../match/glob.ts";
import { globCells } from "../../match/glob-cells.ts";
import type { InspectEntry, Network } from "../../match/inspect-entry.ts";

/** Hosts and ports; each pair is a destination. */
export interface Destinations {
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
  /** The port that stands for all that no entry names. */
  readonly otherPort: number;
}

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "11", "22", "33"];
/** Patterns that are told apart by every combination; more of them are looked at one by one. */
const MOST_PATTERNS = 200;

/** The destinations; undefined where the patterns overlap in too many ways. */
export function destinationsOf(entries: readonly InspectEntry[]): Destinations | undefined {
  const named = new Set(entries.flatMap(({ port }) => port ?? []));
  let otherPort = 443;
  while (named.has(otherPort)) otherPort += 1;
  const hosts = new Set(["elsewhere.test", "203.0.113.77", "2001:db8:77::1"]);
  const patterns: Glob[] = [];
  for (const entry of entries) {
    if (entry.kind === "host" || entry.kind === "address") hosts.add(entry.host);
    if (entry.network !== undefined) for (const address of addressesAround(entry.network)) hosts.add(address);
    if (entry.kind === "suffix") patterns.push(...globsOf(`?*${entry.host}`));
    if (entry.kind === "glob") patterns.push(...entry.globs);
  }
  const distinct = [...new Map(patterns.map((glob) => [JSON.stringify(glob.tokens), glob])).values()];
  // A name inside a pattern has an entry of its own: what else the pattern covers is another kind.
  const inside = new Map<Glob, readonly Glob[]>(distinct.map((glob) => [glob, namesInside(glob, entries)]));
  const names = [...new Set([...inside.values()].flat())];
  const isMany = distinct.length + names.length > MOST_PATTERNS;
  const sets = isMany
    ? distinct.map((glob) => [glob, ...(inside.get(glob) ?? [])])
    : [[...distinct, ...names]];
  for (const globs of sets) {
    const cells = globCells(globs);
    if (cells === undefined) return undefined;
    for (const { name } of cells) hosts.add(name.replaceAll(" ", "-"));
  }
  // A pattern of numbers is about addresses.
  for (const { fixed, tokens } of distinct)
    if (/^[\d.]*$/.test(fixed)) hosts.add(unnamedAddress(tokens, hosts));
  return { hosts: [...hosts], ports: [...named, otherPort], otherPort };
}

/** The names with an entry of their own that the pattern covers, each as a pattern of itself. */
function namesInside(glob: Glob, entries: readonly InspectEntry[]): readonly Glob[] {
  return entries.flatMap((entry) =>
    entry.kind === "host" && glob.test(entry.host) ? globsOf(entry.host) : [],
  );
}

/** An address that the pattern covers and no entry names, where there is one among the simple ones. */
function unnamedAddress(tokens: Glob["tokens"], named: ReadonlySet<string>): string {
  const all = DIGITS.map((digit) => tokens.map((token) => oneCharacter(token, digit)).join(""));
  return all.find((address) => !named.has(address)) ?? all[0] ?? "";
}

function globsOf(text: string): readonly Glob[] {
  const compiled = compileGlob(text);
  return "globs" in compiled ? compiled.globs : [];
}

function oneCharacter(token: Glob["tokens"][number], digit: string): string {
  return typeof token === "object" && "code" in token ? String.fromCharCode(token.code) : digit;
}

/** The first and the last address of a network, and those beside them. */
function addressesAround({ family, parts, prefix }: Network): readonly string[] {
  const width = family === 4 ? 8n : 16n;
  const bits = family === 4 ? 32n : 128n;
  const base = parts.reduce((sum, part) => (sum << width) | BigInt(part), 0n);
  const size = 1n << (bits - BigInt(prefix));
  const first = (base / size) * size;
  return [first - 1n, first, first + size - 1n, first + size].flatMap((number) =>
    number < 0n || number >= 1n << bits ? [] : [addressText(family, number)],
  );
}

function addressText(family: AddressParts["family"], number: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((number >> BigInt(112 - 16 * at)) & 0xffffn).toString(16),
  );
  const text = groups.join(":");
  return canonicalAddress(text) ?? text;
}
