// The rules that protect, one by one: each chain that breaks one is refused with words that say
// which, and what looks odd but is right is accepted.

import { describe, expect, test } from "bun:test";
import {
  ALGORITHM,
  alternativeNames,
  authorityKeyId,
  basicConstraints,
  extension,
  ID,
  keyIdOf,
  keysOf,
  keyUsage,
  makeKeys,
  makeOtherKeys,
  nameOf,
  usages,
} from "../support/certificates/certificate-maker.ts";
import {
  context,
  der,
  flags,
  integer,
  oid,
  sequence,
  set,
  TRUE,
  text,
} from "../support/certificates/der-writer.ts";
import { type Asked, type ChainParts, judge, NOW_MS, reasonOf } from "../support/policy/judge-chain.ts";

const v1 = { version: new Uint8Array(), withoutExtensions: Object.values(ID) };
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const UNKNOWN = extension("1.3.6.1.4.1.55738.666.1", sequence(), true);
const anyAki = (...parts: readonly Uint8Array[]) => extension(ID.aki, sequence(...parts));
const ownId = () => context(0, false, keyIdOf(keysOf("root")));
const ownIssuer = context(1, true, context(4, true, nameOf("root")));

const policy = extension(ID.policies, sequence(sequence(oid("2.23.140.1.2.1"))));

test("a chain that keeps every rule is accepted, until its first certificate ends", () => {
  expect(judge({ authority: { to: new Date("2031-01-01") } })).toEqual({
    kind: "verified",
    validUntilMs: Date.parse("2031-01-01"),
  });
});

/** Rules that hold for every chain, no matter who is trusted. */
const PROTECTING: [rule: string, parts: ChainParts, reason: string][] = [
  [
    "an expired server",
    { server: { to: new Date("2030-06-01T11:59:59Z") } },
    "it expired on 2030-06-01 11:59 UTC",
  ],
  [
    "a server of tomorrow",
    { server: { from: new Date("2030-06-02") } },
    "it is not valid before 2030-06-02 00:00 UTC",
  ],
  [
    "an expired authority",
    { authority: { to: new Date("2030-05-31") } },
    "the certificate of its authority 'authority' expired on 2030-05-31 00:00 UTC",
  ],
  [
    "an expired root",
    { root: { to: new Date("2030-05-31") } },
    "the trusted root 'root' expired on 2030-05-31 00:00 UTC",
  ],
  ["no alternative name", { server: { withoutExtensions: [ID.san] } }, "it has no subject alternative name"],
  ["another name", { names: ["example.org"] }, "it is not for 'example.com'"],
  [
    "a common name only",
    { names: ["example.org"], server: { subject: nameOf("example.com") } },
    "it is not for 'example.com'",
  ],
  [
    "an authority that is none",
    { authority: { extensions: [basicConstraints(false)] } },
    "the certificate of its authority 'authority' belongs to no certificate authority",
  ],
  [
    "an authority without basic constraints",
    { authority: { withoutExtensions: [ID.basic] } },
    "the certificate of its authority 'authority' belongs to no certificate authority",
  ],
  [
    "a root without basic constraints",
    { root: { withoutExtensions: [ID.basic] } },
    "the trusted root 'root' belongs to no certificate authority",
  ],
  [
    "an authority that must not sign",
    { authority: { extensions: [keyUsage(0, 6)] } },
    "the certificate of its authority 'authority' must not be used to sign certificates (key usage)",
  ],
  [
    "a root that must not sign",
    { root: { extensions: [keyUsage(6)] } },
    "the trusted root 'root' must not be used to sign certificates (key usage)",
  ],
  [
    "a server that must not serve",
    { server: { extensions: [keyUsage(4)] } },
    "it must not be used by a TLS server (key usage)",
  ],
  [
    "a server for clients",
    { server: { extensions: [usages(CLIENT_AUTH)] } },
    "it must not be used for TLS servers (extended key usage)",
  ],
  [
    "an authority for clients",
    { authority: { extensions: [usages(CLIENT_AUTH)] } },
    "the certificate of its authority 'authority' must not be used for TLS servers (extended key usage)",
  ],
  [
    "a root for clients",
    { root: { extensions: [usages(CLIENT_AUTH)] } },
    "the trusted root 'root' must not be used for TLS servers (extended key usage)",
  ],
  [
    "an unknown critical extension",
    { server: { extensions: [UNKNOWN] } },
    "it has a critical extension that is not understood (1.3.6.1.4.1.55738.666.1)",
  ],
  [
    "an authority's unknown critical extension",
    { authority: { extensions: [UNKNOWN] } },
    "the certificate of its authority 'authority' has a critical extension that is not understood (1.3.6.1.4.1.55738.666.1)",
  ],
  [
    "a root's unknown critical extension",
    { root: { extensions: [UNKNOWN] } },
    "the trusted root 'root' has a critical extension that is not understood (1.3.6.1.4.1.55738.666.1)",
  ],
  ["SHA-1 on the server", { server: { algorithm: ALGORITHM.ecdsaSha1 } }, "it is signed with SHA-1"],
  [
    "SHA-1 on an authority",
    { authority: { algorithm: ALGORITHM.ecdsaSha1 } },
    "the certificate of its authority 'authority' is signed with SHA-1",
  ],
  [
    "a short RSA key",
    { server: { keys: makeOtherKeys({ rsaBits: 1024 }) } },
    "it has a key that is not accepted: an RSA key of 1024 bits is too short",
  ],
  [
    "a small curve",
    { server: { keys: makeKeys("P-224") } },
    "it has a key that is not accepted: its curve is not P-256, P-384 or P-521",
  ],
  [
    "a path that is too long",
    { root: { extensions: [basicConstraints(true, 0)] } },
    "the trusted root 'root' does not allow so many authorities below it (path length)",
  ],
  ["a server of version 1", { server: v1 }, "it cannot be read: it is not of version 3"],
  [
    "an authority of version 1",
    { authority: v1 },
    "its issuer 'authority' is not trusted here, and a certificate that came with it cannot be read: it is not of version 3",
  ],
  ["a root of version 1", { root: v1 }, "the trusted root 'root' cannot be read: it is not of version 3"],
  [
    "two signature algorithms",
    { server: { outerAlgorithm: ALGORITHM.ecdsaSha384.id } },
    "it cannot be read: its two signature algorithms differ",
  ],
  [
    "an extension twice",
    { server: { extensions: [usages(SERVER_AUTH), usages(SERVER_AUTH)] } },
    "it cannot be read: the extension 2.5.29.37 is there twice",
  ],
  [
    "an address of five bytes",
    { names: ["example.com", Uint8Array.of(1, 2, 3, 4, 5)] },
    "it holds a malformed address",
  ],
  [
    "an empty list of usages",
    { server: { extensions: [usages()] } },
    "it cannot be read: a list in an extension is empty",
  ],
  [
    "a path length without authority",
    { server: { extensions: [basicConstraints(false, 1)] } },
    "it cannot be read: a path length is given for a certificate that is no authority",
  ],
  [
    "a policy that is required and missing",
    {
      root: {
        extensions: [extension(ID.policyConstraints, sequence(context(0, false, Uint8Array.of(0))), true)],
      },
    },
    "the trusted root 'root' carries no policy that its authority requires",
  ],
  [
    "malformed access to the authority",
    { server: { extensions: [extension(ID.aia, sequence(integer(1)))] } },
    "it cannot be read: a value is not of the kind that belongs there",
  ],
];

describe("refused, no matter who is trusted:", () => {
  for (const [rule, parts, reason] of PROTECTING)
    test(rule, () => {
      for (const source of ["operator", "system", "cluster"] as const)
        expect(reasonOf(judge(parts, { source }))).toBe(reason);
    });
});

describe("accepted:", () => {
  const old = [
    basicConstraints(true, undefined, false),
    anyAki(ownId(), ownIssuer, context(2, false, Uint8Array.of(7))),
  ];
  const CASES: [what: string, parts: ChainParts, asked?: Asked][] = [
    ["a root as OpenSSL 1.0 and easy-rsa make them", { root: { serial: integer(7), extensions: old } }],
    [
      "a root with its own key identifier as its authority's",
      { root: { extensions: [authorityKeyId(keysOf("root"))] } },
    ],
    ["a root with serial number 0", { root: { serial: integer(0) } }],
    [
      "a root signed with SHA-1, since nobody asks its signature",
      { root: { algorithm: ALGORITHM.ecdsaSha1 } },
    ],
    ["no key usage", { server: { withoutExtensions: [ID.keyUsage] } }],
    ["no extended key usage", { server: { withoutExtensions: [ID.usages] } }],
    ["an authority for TLS servers", { authority: { extensions: [usages(CLIENT_AUTH, SERVER_AUTH)] } }],
    ["an authority for anything", { authority: { extensions: [usages("2.5.29.37.0")] } }],
    [
      "an authority with basic constraints that are not critical",
      { authority: { extensions: [basicConstraints(true, undefined, false)] } },
    ],
    ["the exact second of the end", { server: { to: new Date(NOW_MS) } }],
    ["the exact second of the beginning", { server: { from: new Date(NOW_MS) } }],
    [
      "a path as long as allowed",
      {
        root: { extensions: [basicConstraints(true, 1)] },
        authority: { extensions: [basicConstraints(true, 0)] },
      },
    ],
    [
      "a subject that is empty, with critical alternative names",
      { server: { subject: nameOf(), extensions: [alternativeNames(["example.com"], true)] } },
    ],
    [
      "a common name that is an alternative name",
      { names: ["a.test", "example.com"], server: { subject: nameOf("a.test") } },
    ],
    ["a common name in letters of the other case", { server: { subject: nameOf("Example.com") } }],
    [
      "a common name that a wildcard covers",
      { names: ["*.example.com", "example.com"], server: { subject: nameOf("foo.example.com") } },
    ],
    ["a common name that is no host name", { server: { subject: nameOf("kube-apiserver") } }],
    [
      "a common name of a host where only addresses are certified",
      { names: [Uint8Array.of(10, 0, 0, 1)], server: { subject: nameOf("node.example.org") } },
      { name: "10.0.0.1" },
    ],
    [
      "no key identifier at all, as LibreSSL and scripts make them",
      {
        root: { withoutExtensions: [ID.ski, ID.keyUsage] },
        authority: { withoutExtensions: [ID.ski, ID.aki, ID.keyUsage] },
        server: { withoutExtensions: [ID.aki, ID.keyUsage, ID.usages, ID.basic] },
      },
    ],
    [
      "an authority's basic constraints on a server, as openssl req -x509 -CA makes them",
      { server: { withoutExtensions: [ID.keyUsage, ID.usages], extensions: [basicConstraints(true)] } },
    ],
    [
      "a common name of another host beside an organisation",
      {
        server: {
          subject: sequence(
            set(sequence(oid("2.5.4.10"), der(0x0c, text("Example Inc")))),
            set(sequence(oid("2.5.4.3"), der(0x0c, text("example.org")))),
          ),
        },
      },
    ],
    ["a common name of a private host", { server: { subject: nameOf("origin.test") } }],
    ["a serial number of 20 bytes", { server: { serial: integer(2n ** 160n - 1n) } }],
    [
      "a P-384 key and SHA-384",
      { authority: { keys: makeKeys("P-384") }, server: { algorithm: ALGORITHM.ecdsaSha384 } },
    ],
    ["a P-521 key", { server: { keys: makeKeys("P-521") } }],
    [
      "an Ed25519 authority and server",
      {
        authority: { keys: makeOtherKeys("ed25519") },
        server: { algorithm: ALGORITHM.ed25519, keys: makeOtherKeys("ed25519") },
      },
    ],
    [
      "an unknown extension that is not critical",
      { server: { extensions: [{ ...UNKNOWN, isCritical: false }] } },
    ],
    ["critical policies", { server: { extensions: [{ ...policy, isCritical: true }] } }],
    [
      "a required policy that is there",
      {
        root: {
          extensions: [extension(ID.policyConstraints, sequence(context(0, false, Uint8Array.of(0))), true)],
        },
        authority: { extensions: [policy] },
        server: { extensions: [policy] },
      },
    ],
    [
      "any policy for a required one",
      {
        root: {
          extensions: [extension(ID.policyConstraints, sequence(context(0, false, Uint8Array.of(0))), true)],
        },
        authority: { extensions: [extension(ID.policies, sequence(sequence(oid("2.5.29.32.0"))))] },
        server: { extensions: [policy] },
      },
    ],
  ];
  for (const [what, parts, asked] of CASES)
    test(what, () => expect(reasonOf(judge(parts, asked))).toBe("verified"));
});

test("flags, booleans and lengths have one encoding", () => {
  const CASES: [value: Uint8Array, id: string][] = [
    [der(0x03, Uint8Array.of(7, 0xff)), ID.keyUsage],
    [sequence(der(0x01, Uint8Array.of(1))), ID.basic],
    [sequence(der(0x01, Uint8Array.of(0xff, 0xff))), ID.basic],
    [Uint8Array.of(0x30, 0x81, 0x03, 0x01, 0x01, 0xff), ID.basic],
    [Uint8Array.of(0x30, 0x80, 0x00, 0x00), ID.basic],
    [sequence(TRUE, der(0x02, Uint8Array.of(0, 1))), ID.basic],
    [Buffer.concat([sequence(TRUE), TRUE]), ID.basic],
    [flags(0).subarray(0, 2), ID.keyUsage],
  ];
  for (const [value, id] of CASES)
    expect(reasonOf(judge({ server: { extensions: [extension(id, value, true)] } }))).toStartWith(
      "it cannot be read: ",
    );
});
