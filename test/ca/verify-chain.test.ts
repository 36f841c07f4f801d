// Who is trusted: roots, registered certificates of servers, and what a refusal says would fix it.

import { describe, expect, test } from "bun:test";
import {
  alternativeNames,
  basicConstraints,
  type CertificateParts,
  extension,
  ID,
  keysOf,
  keyUsage,
  type MadeCertificate,
  makeAuthority,
  makeRoot,
  makeServer,
  nameOf,
  usages,
} from "../support/certificates/certificate-maker.ts";
import { context, der, integer, oid, sequence, set, text } from "../support/certificates/der-writer.ts";
import { judge, reasonOf, verify } from "../support/policy/judge-chain.ts";

const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

describe("what is not trusted says what would fix it:", () => {
  const root = makeRoot();
  const middle = makeAuthority(root, "authority");
  const server = makeServer(middle);
  const alone = makeRoot("alone", {
    extensions: [basicConstraints(false), keyUsage(0), alternativeNames(["example.com"])],
  });
  const stranger = makeRoot("stranger");
  const CASES: [
    what: string,
    presented: MadeCertificate[],
    reason: string,
    remedy: "authority" | "server",
  ][] = [
    ["a chain without its authority", [server], "its issuer 'authority' is not trusted here", "authority"],
    ["a chain to another root", [server, middle], "its issuer 'root' is not trusted here", "authority"],
    [
      "a chain with its own root",
      [server, middle, root],
      "its chain ends in 'root', which is not trusted here",
      "authority",
    ],
    ["a self-signed server", [alone], "it is self-signed and not trusted here", "server"],
  ];
  for (const [what, presented, reason, remedy] of CASES)
    test(what, () => expect(verify(presented, [stranger])).toEqual({ kind: "refused", reason, remedy }));

  test("a root of the same name and another key", () => {
    const impostor = makeRoot("root", { keys: keysOf("impostor") });
    expect(verify([server, middle], [impostor])).toMatchObject({ kind: "refused", remedy: "authority" });
  });
  test("nothing at all", () => {
    expect(reasonOf(verify([], [root]))).toBe("there is none");
  });
  test("names in messages hold nothing but printable ASCII", () => {
    const odd = makeRoot("odd", { subject: nameOf(`\u001b[31m'\u202e${"x".repeat(90)}`) });
    const below = makeServer(odd);
    expect(reasonOf(verify([below], [stranger]))).toBe(
      `its issuer '?[31m??${"x".repeat(54)}...' is not trusted here`,
    );
  });
});

describe("a server's own certificate that the operator registered", () => {
  const selfSigned = (parts: CertificateParts = {}) =>
    makeRoot("self", {
      ...parts,
      extensions: [keyUsage(0, 5), alternativeNames(["example.com"]), ...(parts.extensions ?? [])],
    });
  test("is trusted, though it is self-signed and an authority's", () => {
    const own = selfSigned();
    expect(verify([own], [own]).kind).toBe("verified");
  });
  test("is trusted without its issuer, and with any issuance", () => {
    const server = makeServer(makeRoot("gone"), ["example.com"], {
      withoutExtensions: [ID.aki],
      serial: integer(0),
    });
    expect(verify([server], [server]).kind).toBe("verified");
  });
  test("must still carry the name, be in time, and be good for a server", () => {
    const own = selfSigned();
    expect(reasonOf(verify([own], [own], { name: "example.org" }))).toBe("it is not for 'example.org'");
    const late = selfSigned({ to: new Date("2030-01-01") });
    expect(reasonOf(verify([late], [late]))).toBe("it expired on 2030-01-01 00:00 UTC");
    const client = selfSigned({ extensions: [usages(CLIENT_AUTH)] });
    expect(reasonOf(verify([client], [client]))).toBe(
      "it must not be used for TLS servers (extended key usage)",
    );
  });
  test("is another than one that only has its name and key", () => {
    const own = selfSigned();
    const renewed = selfSigned({ serial: integer(99), extensions: [basicConstraints(false)] });
    expect(verify([renewed], [own]).kind).toBe("refused");
  });
});

test("an authority that was registered without its root is trusted", () => {
  const middle = makeAuthority(makeRoot(), "authority");
  expect(verify([makeServer(middle)], [middle]).kind).toBe("verified");
});

test("a signature must be by the issuer's key over these bytes", () => {
  const root = makeRoot();
  const forged = makeServer(root, ["example.com"], { issuerKeys: keysOf("forger") });
  expect(verify([forged], [root]).kind).toBe("refused");
});

test("names of a directory match whatever their case and spaces", () => {
  const part = (id: string, value: string, tag = 0x0c) => set(sequence(oid(id), der(tag, text(value))));
  const tree = (...parts: readonly Uint8Array[]) =>
    extension(ID.names, sequence(context(0, true, sequence(context(4, true, sequence(...parts))))), true);
  const organisation = part("2.5.4.10", "Example  Inc");
  const inside = sequence(part("2.5.4.10", " example inc", 0x13), part("2.5.4.3", "a server"));
  const outside = sequence(part("2.5.4.10", "other"), part("2.5.4.3", "a server"));
  const authority = (...extensions: readonly ReturnType<typeof tree>[]) => ({ extensions });
  expect(reasonOf(judge({ authority: authority(tree(organisation)), server: { subject: inside } }))).toBe(
    "verified",
  );
  expect(
    reasonOf(judge({ authority: authority(tree(organisation)), server: { subject: outside } })),
  ).toEndWith("may not certify all names in the certificate");
});
