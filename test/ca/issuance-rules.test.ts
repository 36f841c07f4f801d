// The rules that issuers must keep, one by one: the operator and the system are asked for them,
// clusters are not.

import { describe, expect, test } from "bun:test";
import {
  alternativeNames,
  authorityKeyId,
  basicConstraints,
  type CertificateParts,
  extension,
  ID,
  keyIdOf,
  keysOf,
  keyUsage,
  nameConstraints,
  nameOf,
  usages,
} from "../support/certificates/certificate-maker.ts";
import { context, der, integer, octetString, sequence } from "../support/certificates/der-writer.ts";
import { type ChainParts, judge } from "../support/policy/judge-chain.ts";

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const anyAki = (...parts: readonly Uint8Array[]) => extension(ID.aki, sequence(...parts));
const ownId = () => context(0, false, keyIdOf(keysOf("root")));
const ownIssuer = context(1, true, context(4, true, nameOf("root")));

const serverKeyId = extension(ID.ski, octetString(keyIdOf(keysOf("server"))));

/** Rules that are only about issuing: refused with the server's own certificate as remedy, taken from a cluster. */
const TIDY: [rule: string, parts: ChainParts, reason: string][] = [
  [
    "a server without authority key identifier",
    { server: { withoutExtensions: [ID.aki], extensions: [serverKeyId] } },
    "it has no authority key identifier",
  ],
  [
    "an authority without authority key identifier",
    { authority: { withoutExtensions: [ID.aki] } },
    "the certificate of its authority 'authority' has no authority key identifier",
  ],
  [
    "an authority without subject key identifier",
    { authority: { withoutExtensions: [ID.ski] } },
    "the certificate of its authority 'authority' has no subject key identifier, though a certificate below it refers to one",
  ],
  [
    "a critical authority key identifier",
    { server: { extensions: [{ ...authorityKeyId(keysOf("authority")), isCritical: true }] } },
    "it has an extension that is critical though it must not be (2.5.29.35)",
  ],
  [
    "a server that may sign",
    { server: { extensions: [keyUsage(0, 5)] } },
    "it may sign certificates though it belongs to no authority",
  ],
  [
    "a server that is an authority",
    { server: { extensions: [basicConstraints(true)] } },
    "it belongs to a certificate authority, not to a server",
  ],
  [
    "a server with name constraints",
    { server: { extensions: [nameConstraints({ permitted: ["example.com"] })] } },
    "it has name constraints though it belongs to no authority",
  ],
  [
    "a server for anything",
    { server: { extensions: [usages(SERVER_AUTH, "2.5.29.37.0")] } },
    "it may be used for anything, which no server's certificate may",
  ],
  [
    "critical alternative names",
    { server: { extensions: [alternativeNames(["example.com"], true)] } },
    "it has a subject alternative name that is critical where it must not be, or not where it must",
  ],
  [
    "alternative names that are not critical beside no subject",
    { server: { subject: nameOf() } },
    "it has a subject alternative name that is critical where it must not be, or not where it must",
  ],
  [
    "a serial number of zero",
    { server: { serial: integer(0) } },
    "it has a serial number that is not positive",
  ],
  [
    "a negative serial number",
    { server: { serial: der(2, Uint8Array.of(0x80)) } },
    "it has a serial number that is not positive",
  ],
  [
    "a long serial number",
    { server: { serial: integer(2n ** 160n) } },
    "it has a serial number of more than 20 bytes",
  ],
  [
    "a common name that is no alternative name",
    { server: { subject: nameOf("example.org") } },
    "it has a common name that is not one of its alternative names",
  ],
  [
    "a common name two labels below a wildcard",
    { names: ["*.example.com", "example.com"], server: { subject: nameOf("a.b.example.com") } },
    "it has a common name that is not one of its alternative names",
  ],
  [
    "an alternative name with an underscore",
    { names: ["example.com", "a_b.example.com"] },
    "it has an alternative name with an underscore",
  ],
  [
    "a unique identifier",
    { server: { beforeExtensions: context(2, false, Uint8Array.of(0, 1)) } },
    "it has unique identifiers, which nobody issues any more",
  ],
  [
    "policy constraints that are not critical",
    {
      authority: {
        extensions: [extension(ID.policyConstraints, sequence(context(0, false, Uint8Array.of(9))))],
      },
    },
    "the certificate of its authority 'authority' has policy constraints that are not critical",
  ],
  [
    "a name constraint that begins with a dot",
    {
      names: ["a.example.com", "example.com"],
      authority: { extensions: [nameConstraints({ excluded: [".example.org"] })] },
    },
    "the certificate of its authority 'authority' has a name constraint that begins with a dot",
  ],
];

describe("refused for its issuer's sake:", () => {
  for (const [rule, parts, reason] of TIDY)
    test(rule, () => {
      for (const source of ["operator", "system"] as const)
        expect(judge(parts, { source })).toEqual({ kind: "refused", reason, remedy: "server" });
      expect(judge(parts, { source: "cluster" }).kind).toBe("verified");
    });
});

/** Rules for a root that the operator registered. */
const ROOTS: [rule: string, root: CertificateParts, reason: string][] = [
  [
    "without the subject key identifier that others refer to",
    { withoutExtensions: [ID.ski] },
    "has no subject key identifier, though a certificate below it refers to one",
  ],
  [
    "with a critical subject key identifier",
    { extensions: [extension(ID.ski, octetString(keyIdOf(keysOf("root"))), true)] },
    "has an extension that is critical though it must not be (2.5.29.14)",
  ],
  [
    "with basic constraints that are not critical",
    { extensions: [basicConstraints(true, undefined, false)] },
    "has basic constraints that are not critical",
  ],
  [
    "with another's authority key identifier",
    { extensions: [authorityKeyId(keysOf("authority"))] },
    "has an authority key identifier that is not its own",
  ],
  [
    "with the issuer in its authority key identifier",
    { extensions: [anyAki(ownId(), ownIssuer)] },
    "has an authority key identifier that is not a key identifier alone",
  ],
  [
    "with the serial number in its authority key identifier",
    { extensions: [anyAki(ownId(), context(2, false, Uint8Array.of(7)))] },
    "has an authority key identifier that is not a key identifier alone",
  ],
  [
    "with an authority key identifier of everything",
    { serial: integer(7), extensions: [anyAki(ownId(), ownIssuer, context(2, false, Uint8Array.of(7)))] },
    "has an authority key identifier that is not a key identifier alone",
  ],
  [
    "with an empty authority key identifier",
    { extensions: [anyAki()] },
    "has an authority key identifier that is not a key identifier alone",
  ],
];

describe("a root that the operator registered is refused", () => {
  for (const [rule, root, reason] of ROOTS)
    test(rule, () => {
      expect(judge({ root })).toEqual({
        kind: "refused",
        reason: `the trusted root 'root' ${reason}`,
        remedy: "server",
      });
      for (const source of ["system", "cluster"] as const)
        expect(judge({ root }, { source }).kind).toBe("verified");
    });
});
