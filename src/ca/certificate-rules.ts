// What one certificate must be like to stand where it stands in a chain, whatever the others are: RFC 5280 section
// 4.2 and the CA/Browser Forum's Baseline Requirements section 7.1. Each rule answers with a clause that fits
// after "the certificate".

import { areEqualBytes, type Certificate, isSelfIssued } from "./certificate.ts";
import { type AuthorityKeyId, EXTENSION, KEY_USAGE } from "./certificate-extensions.ts";
import { commonNames, isEmptyName } from "./distinguished-name.ts";
import { addressText, isHostText } from "./server-identity.ts";

/**
 * How much is asked. `essential`: all that protects, which is what Go's crypto/x509 and so kubectl asks for.
 * `full`: also what RFC 5280 and the Baseline Requirements ask of the issuer's tidiness. Signatures, names, times,
 * constraints, usages and strength are judged alike in both.
 */
export type Profile = "full" | "essential";

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const ANY_USAGE = "2.5.29.37.0";

const KNOWN_CRITICAL: ReadonlySet<string> = new Set([
  EXTENSION.basicConstraints,
  EXTENSION.keyUsage,
  EXTENSION.extendedKeyUsage,
  EXTENSION.alternativeNames,
  EXTENSION.nameConstraints,
  EXTENSION.policies,
  EXTENSION.policyConstraints,
]);
/** RFC 5280 4.2.1.1, 4.2.1.2, 4.2.2.1: must not be critical. */
const NEVER_CRITICAL = [EXTENSION.subjectKeyId, EXTENSION.authorityKeyId, EXTENSION.authorityInformation];

/** Seconds since 1970 as a date for a message. */
function dateText(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Judges the time of validity; `nowSeconds` is whole. */
export function timeProblem({ notBefore, notAfter }: Certificate, nowSeconds: number): string | undefined {
  if (nowSeconds > notAfter) return `expired on ${dateText(notAfter)}`;
  return nowSeconds < notBefore ? `is not valid before ${dateText(notBefore)}` : undefined;
}

/** Judges a trusted root, when a chain is about to end in it. */
export function rootProblem(root: Certificate, profile: Profile): string | undefined {
  const problem = authorityProblem(root, profile);
  if (problem !== undefined || profile === "essential") return problem;
  const { authorityKeyId, subjectKeyId, critical } = root.extensions;
  const isCritical = critical.has(EXTENSION.basicConstraints);
  if (
    isSelfIssued(root) &&
    authorityKeyId?.keyId &&
    !areEqualBytes(authorityKeyId.keyId, subjectKeyId ?? new Uint8Array())
  )
    return "has an authority key identifier that is not its own";
  // Baseline Requirements 7.1.2.1.2 and 7.1.2.1.3. The default settings of OpenSSL before 1.1 and of easy-rsa break
  // both rules in one way, and half the world's private authorities were made with them.
  if (!isCritical && authorityKeyId && refersToItself(root, authorityKeyId)) return undefined;
  if (!isCritical) return "has basic constraints that are not critical";
  // Only of a root that issued itself: registered authorities below one are as they are.
  if (!authorityKeyId || !isSelfIssued(root)) return undefined;
  return authorityKeyId.keyId && !authorityKeyId.issuer && !authorityKeyId.serial
    ? undefined
    : "has an authority key identifier that is not a key identifier alone";
}

/** Whether key, issuer and serial number are all there and are the root's own. */
function refersToItself({ issuer, serial }: Certificate, id: AuthorityKeyId): boolean {
  if (!id.keyId || !id.issuer || !id.serial) return false;
  return (
    areEqualBytes(id.serial, serial) &&
    id.issuer.length > issuer.length &&
    areEqualBytes(id.issuer.subarray(-issuer.length), issuer)
  );
}

/** Judges an authority between root and server. */
export function intermediateProblem(certificate: Certificate, profile: Profile): string | undefined {
  return (
    authorityProblem(certificate, profile) ??
    serialProblem(certificate, profile) ??
    (profile === "full" ? keyIdProblem(certificate) : undefined)
  );
}

function authorityProblem(certificate: Certificate, profile: Profile): string | undefined {
  const { basicConstraints, keyUsage, subjectKeyId, critical } = certificate.extensions;
  if (!basicConstraints?.isCa) return "belongs to no certificate authority";
  if (keyUsage !== undefined && (keyUsage & KEY_USAGE.keyCertSign) === 0)
    return "must not be used to sign certificates";
  if (isEmptyName(certificate.subject)) return "names no subject";
  if (profile === "full") {
    if (!subjectKeyId) return "has no subject key identifier";
    if (
      certificate.extensions.requiresPolicyAfter !== undefined &&
      !critical.has(EXTENSION.policyConstraints)
    )
      return "has policy constraints that are not critical";
  }
  return usageProblem(certificate, false) ?? commonProblem(certificate, profile);
}

/** Judges a server's own certificate, name aside. */
export function serverProblem(certificate: Certificate, profile: Profile): string | undefined {
  const { extensions } = certificate;
  const { keyUsage, alternativeNames } = extensions;
  if (!alternativeNames) return "has no subject alternative name";
  const signing =
    KEY_USAGE.digitalSignature | (certificate.publicKey.kind === "rsa" ? KEY_USAGE.keyEncipherment : 0);
  if (keyUsage !== undefined && (keyUsage & signing) === 0)
    return "must not be used by a TLS server (key usage)";
  if (alternativeNames.some((name) => name.kind === "address" && addressText(name.bytes) === undefined))
    return "holds an address that is none";
  return (
    usageProblem(certificate, profile === "full") ??
    commonProblem(certificate, profile) ??
    serialProblem(certificate, profile)
  );
}

/** The rules for a server's certificate that only concern how it was issued; asked last, because the others tell more. */
export function serverIssuanceProblem(certificate: Certificate): string | undefined {
  const { basicConstraints, keyUsage = 0, nameConstraints, critical } = certificate.extensions;
  if (basicConstraints?.isCa) return "belongs to a certificate authority, not to a server";
  if ((keyUsage & KEY_USAGE.keyCertSign) !== 0)
    return "may sign certificates though it belongs to no authority";
  if (nameConstraints) return "has name constraints though it belongs to no authority";
  if (critical.has(EXTENSION.alternativeNames) !== isEmptyName(certificate.subject))
    return "has a subject alternative name that is critical where it must not be, or not where it must";
  return keyIdProblem(certificate) ?? commonNameProblem(certificate);
}

/** Rules for every certificate in a chain. */
function commonProblem(certificate: Certificate, profile: Profile): string | undefined {
  const { publicKey, extensions } = certificate;
  if (publicKey.weakness !== undefined) return `has a key that is not accepted: ${publicKey.weakness}`;
  for (const oid of extensions.critical)
    if (!KNOWN_CRITICAL.has(oid) && (profile === "full" || !NEVER_CRITICAL.some((never) => never === oid)))
      return `has a critical extension that is not understood (${oid})`;
  if (profile === "essential") return undefined;
  if (certificate.hasUniqueId) return "has unique identifiers, which no authority issues";
  return certificate.hasOddTime ? "has a time in the form for another century" : undefined;
}

/** RFC 5280 4.1.2.2: positive, at most 20 octets. Old roots have zero, so roots are not asked. */
function serialProblem({ serial }: Certificate, profile: Profile): string | undefined {
  if (profile === "essential") return undefined;
  const [first = 0] = serial;
  if (first >= 0x80 || (first === 0 && serial.length === 1))
    return "has a serial number that is not positive";
  return serial.length - (first === 0 ? 1 : 0) > 20 ? "has a serial number of more than 20 bytes" : undefined;
}

/** RFC 5280 4.2.1.12. On a server's certificate `anyExtendedKeyUsage` is forbidden by the Baseline Requirements 7.1.2.7.10. */
function usageProblem(
  { extensions: { extendedKeyUsage } }: Certificate,
  isAnyForbidden: boolean,
): string | undefined {
  if (!extendedKeyUsage) return undefined;
  const hasAny = extendedKeyUsage.includes(ANY_USAGE);
  if (hasAny && isAnyForbidden) return "may be used for anything, which no server's certificate may";
  return hasAny || extendedKeyUsage.includes(SERVER_AUTH)
    ? undefined
    : "must not be used for TLS servers (extended key usage)";
}

/** RFC 5280 4.2.1.1: only a self-signed certificate may leave the authority's key identifier out. */
function keyIdProblem(certificate: Certificate): string | undefined {
  return certificate.extensions.authorityKeyId?.keyId ? undefined : "has no authority key identifier";
}

/**
 * Baseline Requirements 7.1.4.3: a common name is a copy of one of the alternative names, character by character.
 * Asked only of common names that read as host names or addresses where there are alternative names of that kind:
 * a common name is otherwise a label for people, and is never matched.
 */
function commonNameProblem({
  subject,
  extensions: { alternativeNames = [] },
}: Certificate): string | undefined {
  for (const name of commonNames(subject)) {
    const kind = name === undefined ? undefined : kindOfText(name);
    const same = alternativeNames.filter((each) => each.kind === kind);
    const texts = same.map((each) =>
      each.kind === "dns" ? each.name : each.kind === "address" ? addressText(each.bytes) : undefined,
    );
    if (same.length > 0 && !texts.includes(name))
      return "has a common name that is none of its alternative names";
  }
  return undefined;
}

function kindOfText(text: string): "dns" | "address" | undefined {
  if (
    /^[0-9.]+$/.test(text) ||
    /^0x[0-9a-f.x]+$/i.test(text) ||
    /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text)
  )
    return "address";
  return isHostText(text) ? "dns" : undefined;
}
