// Name constraints (RFC 5280 4.2.1.10): which names an authority may certify. Kinds that cannot be
// judged are met with a refusal as soon as a name of that kind appears, whether or not the
// constraint is critical.

import type { Certificate } from "./certificate.ts";
import { DerCursor, DerError, enterOnly, TAG } from "./der.ts";
import { hasEmailAddress, isEmptyName, isNameWithin } from "./distinguished-name.ts";
import { EMAIL_TAG, type GeneralName, readGeneralName } from "./general-name.ts";

/** Constraints of one authority. `permitted` binds only names of the kinds it lists. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** Reads the extension's value. Throws DerError, also for fields that the standard forbids (minimum, maximum). */
export function readNameConstraints(value: Uint8Array): NameConstraints {
  const cursor = enterOnly(value, TAG.sequence);
  const permitted = cursor.takeIf(TAG.context + TAG.constructed);
  const excluded = cursor.takeIf(TAG.context + TAG.constructed + 1);
  cursor.finish();
  if (!permitted && !excluded) throw new DerError("its name constraints are empty");
  return {
    permitted: permitted ? readSubtrees(permitted.content) : [],
    excluded: excluded ? readSubtrees(excluded.content) : [],
  };
}

function readSubtrees(content: Uint8Array): readonly GeneralName[] {
  const cursor = new DerCursor(content);
  const bases: GeneralName[] = [];
  while (!cursor.isAtEnd) {
    const subtree = cursor.enter(TAG.sequence);
    const base = readGeneralName(subtree.next());
    // RFC 5280: minimum is its default of 0 and so not written, maximum is absent.
    subtree.finish();
    checkBase(base);
    bases.push(base);
  }
  if (bases.length === 0) throw new DerError("its name constraints are empty");
  return bases;
}

function checkBase(base: GeneralName): void {
  if (base.kind === "address" && !isSubnet(base.bytes))
    throw new DerError("a name constraint is not an address with a mask");
  if (base.kind === "dns" && !/^(?:\.?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*)?$/i.test(base.name))
    throw new DerError("a name constraint is not a host name");
}

/** Address, then mask; the mask's ones must come first. */
function isSubnet(bytes: Uint8Array): boolean {
  if (bytes.length !== 8 && bytes.length !== 32) return false;
  const mask = bytes.subarray(bytes.length / 2);
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return /^1*0*$/.test(bits);
}

/** How many comparisons `nameConstraintProblem` may take at most. */
export function nameConstraintCost(
  { permitted, excluded }: NameConstraints,
  certificate: Certificate,
): number {
  return namesOf(certificate).length * (permitted.length + excluded.length);
}

/** A clause about the authority when `certificate` holds a name that `constraints` do not allow its authority, else undefined. */
export function nameConstraintProblem(
  { permitted, excluded }: NameConstraints,
  certificate: Certificate,
): string | undefined {
  for (const name of namesOf(certificate)) {
    for (const base of excluded)
      if (base.tag === name.tag && overlaps(name, base))
        return "must not certify a name that is in the certificate";
    const bases = permitted.filter((base) => base.tag === name.tag);
    if (bases.length > 0 && !bases.some((base) => isWithin(name, base)))
      return "may not certify all names in the certificate";
  }
  return undefined;
}

function namesOf({ subject, extensions }: Certificate): readonly GeneralName[] {
  const names = [...(extensions.alternativeNames ?? [])];
  if (!isEmptyName(subject)) {
    names.push({ kind: "directory", tag: TAG.context + TAG.constructed + 4, name: subject });
    if (hasEmailAddress(subject)) names.push({ kind: "other", tag: EMAIL_TAG });
  }
  return names;
}

/** Whether all that `name` stands for lies in `base`. A name that cannot be judged does not. */
function isWithin(name: GeneralName, base: GeneralName): boolean {
  if (name.kind === "dns" && base.kind === "dns") return isHostWithin(name.name, base.name);
  if (name.kind === "address" && base.kind === "address") return isInSubnet(name.bytes, base.bytes);
  if (name.kind === "directory" && base.kind === "directory") return isNameWithin(name.name, base.name);
  return false;
}

/** Whether any of what `name` stands for lies in `base`. A name that cannot be judged does. */
function overlaps(name: GeneralName, base: GeneralName): boolean {
  if (name.kind === "dns" && base.kind === "dns") {
    if (!isPlainHost(name.name)) return true;
    if (!name.name.startsWith("*.")) return isHostWithin(name.name, base.name);
    const below = name.name.slice(2);
    // A wildcard also stands for the one label more that the constraint may name.
    const dot = base.name.indexOf(".", 1);
    return isHostWithin(below, base.name) || (dot > 0 && areEqualHosts(base.name.slice(dot + 1), below));
  }
  if (name.kind === "other" || base.kind === "other") return true;
  return isWithin(name, base);
}

function isHostWithin(host: string, base: string): boolean {
  if (!isPlainHost(host)) return false;
  if (base === "") return true;
  const [name, tree] = [host.toLowerCase(), base.toLowerCase()];
  // A leading dot is not in the standard; where it is tolerated it asks for at least one label more.
  if (tree.startsWith(".")) return name.endsWith(tree) && name.length > tree.length;
  return name === tree || name.endsWith(`.${tree}`);
}

function areEqualHosts(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function isPlainHost(name: string): boolean {
  return /^(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/i.test(name);
}

function isInSubnet(address: Uint8Array, subnet: Uint8Array): boolean {
  const size = subnet.length / 2;
  return (
    address.length === size &&
    address.every((byte, index) => {
      const mask = subnet[size + index] ?? 0;
      return (byte & mask) === ((subnet[index] ?? 0) & mask);
    })
  );
}
