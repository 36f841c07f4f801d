// The rules of RFC 5280 section 4 and the CA/Browser Forum's Baseline Requirements section 7.1 for
// issuers, beyond those that protect by themselves. The strictest clients refuse certificates that
// break them, so iddio does, but only where certificates contradict themselves or each other:
// omissions of home-made and corporate authorities are let through. Each rule answers with a clause
// that follows "it" or "the certificate".

import { areEqualBytes, type Certificate, isSelfIssued } from "../certificates/certificate.ts";
import { isEmptyName, soleCommonNames } from "../certificates/distinguished-name.ts";
import { type AuthorityKeyId, EXTENSION, KEY_USAGE } from "../certificates/extensions.ts";
import { ANY_USAGE } from "./certificate-rules.ts";
import { addressText, isHostText } from "./server-identity.ts";

/** RFC 5280 4.2.1.1, 4.2.1.2 and 4.2.2.1. */
const NEVER_CRITICAL = [EXTENSION.subjectKeyId, EXTENSION.authorityKeyId, EXTENSION.authorityInformation];

/** Top-level names that nobody but their users knows (RFC 6761, RFC 6762 appendix G). */
const PRIVATE: ReadonlySet<string> = new Set([
  "test",
  "example",
  "invalid",
  "localhost",
  "local",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
]);

/** Judges a trusted root. */
export function rootIssuanceProblem(root: Certificate): string | undefined {
  const problem = authorityProblem(root);
  if (problem !== undefined) return problem;
  const { authorityKeyId, subjectKeyId, critical } = root.extensions;
  const isCritical = critical.has(EXTENSION.basicConstraints);
  // Baseline Requirements 7.1.2.1.2 and 7.1.2.1.3. The default settings of OpenSSL before 1.1 and of easy-rsa break
  // both rules in one way, and half the world's private authorities were made with them.
  if (!isCritical && authorityKeyId && refersToItself(root, authorityKeyId)) return undefined;
  if (!isCritical) return "has basic constraints that are not critical";
  // An authority that was registered without its issuer is no root, and names its issuer.
  if (!authorityKeyId || !isSelfIssued(root)) return undefined;
  if (!authorityKeyId.keyId || authorityKeyId.issuer || authorityKeyId.serial)
    return "has an authority key identifier that is not a key identifier alone";
  return subjectKeyId && areEqualBytes(authorityKeyId.keyId, subjectKeyId)
    ? undefined
    : "has an authority key identifier that is not its own";
}

/** Whether key, issuer and serial number are all there and are the root's own. */
function refersToItself({ issuer, serial, extensions }: Certificate, id: AuthorityKeyId): boolean {
  const { subjectKeyId } = extensions;
  if (!id.keyId || !id.issuer || !id.serial || !subjectKeyId) return false;
  return (
    areEqualBytes(id.keyId, subjectKeyId) &&
    areEqualBytes(id.serial, serial) &&
    id.issuer.length > issuer.length &&
    areEqualBytes(id.issuer.subarray(-issuer.length), issuer)
  );
}

/** Judges an authority between root and server. */
export function intermediateIssuanceProblem(certificate: Certificate): string | undefined {
  return (
    authorityProblem(certificate) ??
    serialProblem(certificate) ??
    (isSelfIssued(certificate) ? undefined : keyIdProblem(certificate))
  );
}

/** Judges an authority as the issuer of `certificate`. */
export function issuerIssuanceProblem(issuer: Certificate, certificate: Certificate): string | undefined {
  return certificate.extensions.authorityKeyId?.keyId && !issuer.extensions.subjectKeyId
    ? "has no subject key identifier, though a certificate below it refers to one"
    : undefined;
}

function authorityProblem(certificate: Certificate): string | undefined {
  const { requiresPolicyAfter, critical, nameConstraints } = certificate.extensions;
  if (requiresPolicyAfter !== undefined && !critical.has(EXTENSION.policyConstraints))
    return "has policy constraints that are not critical";
  const bases = nameConstraints ? [...nameConstraints.permitted, ...nameConstraints.excluded] : [];
  if (bases.some((base) => base.kind === "dns" && base.name.startsWith(".")))
    return "has a name constraint that begins with a dot";
  return commonProblem(certificate);
}

/** Judges a server's own certificate. */
export function serverIssuanceProblem(certificate: Certificate): string | undefined {
  const { basicConstraints, keyUsage, extendedKeyUsage, nameConstraints, critical } = certificate.extensions;
  // `openssl req -x509 -CA` makes servers authorities, and then without a key usage.
  if (basicConstraints?.isCa && keyUsage !== undefined)
    return "belongs to a certificate authority, not to a server";
  if (keyUsage !== undefined && (keyUsage & KEY_USAGE.keyCertSign) !== 0)
    return "may sign certificates though it belongs to no authority";
  if (nameConstraints) return "has name constraints though it belongs to no authority";
  if (extendedKeyUsage?.includes(ANY_USAGE))
    return "may be used for anything, which no server's certificate may";
  if (critical.has(EXTENSION.alternativeNames) !== isEmptyName(certificate.subject))
    return "has a subject alternative name that is critical where it must not be, or not where it must";
  return (
    commonProblem(certificate) ??
    serialProblem(certificate) ??
    keyIdProblem(certificate) ??
    hostNameProblem(certificate) ??
    commonNameProblem(certificate)
  );
}

function commonProblem({ extensions, hasUniqueId, hasOddTime }: Certificate): string | undefined {
  const oid = NEVER_CRITICAL.find((each) => extensions.critical.has(each));
  if (oid !== undefined) return `has an extension that is critical though it must not be (${oid})`;
  if (hasUniqueId) return "has unique identifiers, which nobody issues any more";
  return hasOddTime ? "has a time in the form for another century" : undefined;
}

/** RFC 5280 4.1.2.2: positive, at most 20 octets. Old roots have zero, so roots are not asked. */
function serialProblem({ serial }: Certificate): string | undefined {
  const [first = 0] = serial;
  if (first >= 0x80 || (first === 0 && serial.length === 1))
    return "has a serial number that is not positive";
  return serial.length - (first === 0 ? 1 : 0) > 20 ? "has a serial number of more than 20 bytes" : undefined;
}

/**
 * RFC 5280 4.2.1.1: all but the self-signed name their authority's key. Certificates that name no key at all come
 * from tools that never do (LibreSSL, scripts); those that name one of the two were made wrongly.
 */
function keyIdProblem({ extensions: { authorityKeyId, subjectKeyId } }: Certificate): string | undefined {
  return subjectKeyId && !authorityKeyId?.keyId ? "has no authority key identifier" : undefined;
}

/** Baseline Requirements 7.1.2.7.12: no underscore. Names of one label are private, and their owners' own affair. */
function hostNameProblem({ extensions: { alternativeNames = [] } }: Certificate): string | undefined {
  return alternativeNames.some(
    (each) => each.kind === "dns" && each.name.includes("_") && each.name.includes("."),
  )
    ? "has an alternative name with an underscore"
    : undefined;
}

/**
 * Baseline Requirements 7.1.4.3: a common name is a copy of one of the alternative names. A host name may also be
 * covered by one of them, in letters of either case, as curl and Go accept it; an address is spelled exactly as
 * RFC 5952 has it. Checked only for common names that are the whole subject and read as public host names or
 * addresses, where there are alternative names of that kind. Any other common name is a label for people.
 */
function commonNameProblem({
  subject,
  extensions: { alternativeNames = [] },
}: Certificate): string | undefined {
  for (const name of soleCommonNames(subject)) {
    const kind = kindOfText(name);
    const same = alternativeNames.filter((each) => each.kind === kind);
    const isCopy = same.some((each) =>
      each.kind === "dns"
        ? covers(each.name, name)
        : each.kind === "address" && addressText(each.bytes) === name,
    );
    if (same.length > 0 && !isCopy) return "has a common name that is not one of its alternative names";
  }
  return undefined;
}

/** Whether an alternative name is the name itself, or a wildcard for its first label. */
function covers(alternative: string, name: string): boolean {
  const [wanted, given] = [alternative.toLowerCase(), name.toLowerCase()];
  return wanted === given || (wanted.startsWith("*.") && given.slice(given.indexOf(".")) === wanted.slice(1));
}

/** Numbers with dots are addresses in whatever notation, as are hexadecimal groups with colons. */
function kindOfText(text: string): "dns" | "address" | undefined {
  if (/^(?:0x)?[0-9a-f]*(?:\.(?:0x)?[0-9a-f]*){0,3}$/i.test(text) && /^(?:0x|[0-9.]+$)/i.test(text))
    return "address";
  if (/^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text)) return "address";
  return isHostText(text) && !PRIVATE.has(text.slice(text.lastIndexOf(".") + 1).toLowerCase())
    ? "dns"
    : undefined;
}
