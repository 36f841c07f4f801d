// Name constraints against a second reading of the standard that is slow and plain: a wildcard is
// every name that it stands for, a subtree is every name below it.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  extension,
  ID,
  type MadeCertificate,
  makeAuthority,
  makeRoot,
  makeServer,
  type Name,
  nameConstraints,
} from "../support/certificates/certificate-maker.ts";
import { context, der, octetString, oid, sequence, text } from "../support/certificates/der-writer.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";
import { judge, reasonOf, verify } from "../support/policy/judge-chain.ts";

const ip = (textual: string): Uint8Array => Uint8Array.from(textual.split(".").map(Number));
const subnet = (address: string, mask: string): Uint8Array => Buffer.concat([ip(address), ip(mask)]);
const ip6 = (...words: readonly number[]): Uint8Array =>
  Uint8Array.from(words.flatMap((word) => [word >> 8, word & 255]));

interface Constraints {
  readonly permitted: readonly Name[];
  readonly excluded: readonly Name[];
}

function isAllowed(names: readonly Name[], { permitted, excluded }: Constraints): boolean {
  return names.every((name) => {
    const ofKind = permitted.filter((base) => typeof base === typeof name);
    return (
      expand(name).every((each) => ofKind.length === 0 || ofKind.some((base) => lies(each, base))) &&
      !expand(name).some((each) => excluded.some((base) => typeof base === typeof name && lies(each, base)))
    );
  });
}

/** The labels that the generated names are made of, and one that is in none. */
const LABELS = ["a", "b", "com"];

function expand(name: Name): readonly Name[] {
  if (typeof name !== "string" || !name.startsWith("*.")) return [name];
  return [...LABELS, "new"].map((label) => label + name.slice(1));
}

function lies(name: Name, base: Name): boolean {
  if (typeof name === "string" && typeof base === "string") {
    const [labels, tree] = [name.split("."), base === "" ? [] : base.split(".")];
    return tree.every((label, index) => labels.at(index - tree.length) === label);
  }
  if (typeof name === "string" || typeof base === "string" || base.length !== 2 * name.length) return false;
  return name.every((byte, index) => ((byte ^ (base[index] ?? 0)) & (base[index + name.length] ?? 0)) === 0);
}

const hostName = fc
  .array(fc.constantFrom(...LABELS), { minLength: 1, maxLength: 3 })
  .map((labels) => labels.join("."));
const tree = fc.oneof(fc.constant(""), hostName);
const address = fc.tuple(
  fc.constantFrom(10, 192),
  fc.constantFrom(0, 1),
  fc.constantFrom(0, 128),
  fc.constantFrom(1, 2),
);
const network = fc
  .tuple(address, fc.constantFrom("0.0.0.0", "255.0.0.0", "255.255.0.0", "255.255.128.0", "255.255.255.255"))
  .map(([bytes, mask]) => subnet(bytes.join("."), mask));
const certified: fc.Arbitrary<Name> = fc.oneof(
  hostName,
  hostName.map((name) => `*.${name}`),
  address.map((bytes) => Uint8Array.from(bytes)),
);
const constraints: fc.Arbitrary<Constraints> = fc.record({
  permitted: fc.array(fc.oneof(tree, network), { maxLength: 2 }),
  excluded: fc.array(fc.oneof(tree, network), { maxLength: 2 }),
});

const extensionsOf = (each: Constraints) =>
  each.permitted.length + each.excluded.length === 0 ? [] : [nameConstraints(each)];

test("names are allowed exactly when every constraint above them allows them", () => {
  let accepted = 0;
  fc.assert(
    fc.property(
      constraints,
      constraints,
      fc.array(certified, { maxLength: 3 }),
      (ofRoot, ofAuthority, more) => {
        const names: readonly Name[] = ["b.a.com", ...more];
        const root = makeRoot("root", { extensions: extensionsOf(ofRoot) });
        const authority = makeAuthority(root, "authority", { extensions: extensionsOf(ofAuthority) });
        const verdict = verify([makeServer(authority, names), authority], [root], { name: "b.a.com" });
        const isRight = isAllowed(names, ofRoot) && isAllowed(names, ofAuthority);
        if (isRight) accepted += 1;
        expect(reasonOf(verdict) === "verified").toBe(isRight);
      },
    ),
    { numRuns: fuzzRuns(300) },
  );
  expect(accepted).toBeGreaterThan(0);
});

describe("an address", () => {
  const CASES: [address: Uint8Array, name: string, network: Uint8Array, isWithin: boolean][] = [
    [ip("10.1.2.3"), "10.1.2.3", subnet("10.0.0.0", "255.0.0.0"), true],
    [ip("11.1.2.3"), "11.1.2.3", subnet("10.0.0.0", "255.0.0.0"), false],
    [ip("10.1.2.3"), "10.1.2.3", subnet("0.0.0.0", "0.0.0.0"), true],
    [
      ip6(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
      "2001:db8::1",
      Buffer.concat([ip6(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), ip6(0xffff, 0xffff, 0, 0, 0, 0, 0, 0)]),
      true,
    ],
    [
      ip6(0x2001, 0xdb9, 0, 0, 0, 0, 0, 1),
      "2001:db9::1",
      Buffer.concat([ip6(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), ip6(0xffff, 0xffff, 0, 0, 0, 0, 0, 0)]),
      false,
    ],
    // One of four bytes is in no network of sixteen, whatever it maps to.
    [
      ip("10.1.2.3"),
      "10.1.2.3",
      Buffer.concat([ip6(0, 0, 0, 0, 0, 0xffff, 0, 0), ip6(0, 0, 0, 0, 0, 0, 0, 0)]),
      false,
    ],
  ];
  for (const [bytes, name, base, isWithin] of CASES)
    test(`${name} ${isWithin ? "is" : "is not"} in ${Buffer.from(base).toString("hex")}`, () => {
      const ask = (which: "permitted" | "excluded") =>
        judge({ names: [bytes], authority: { extensions: [nameConstraints({ [which]: [base] })] } }, { name })
          .kind;
      expect(ask("permitted")).toBe(isWithin ? "verified" : "refused");
      expect(ask("excluded")).toBe(isWithin ? "refused" : "verified");
    });
});

const constraining = (...parts: readonly Uint8Array[]) => ({
  authority: { extensions: [extension(ID.names, sequence(...parts), true)] },
});
const subtree = (...parts: readonly Uint8Array[]) => sequence(...parts);
const email = context(1, false, text("example.com"));
const opaque = context(0, true, oid("1.3.6.1.4.1.311.20.2.3"), context(0, true, der(0x0c, text("a"))));

describe("a constraint that cannot be judged", () => {
  test("does not matter while no name is of its kind", () => {
    expect(reasonOf(judge(constraining(context(0, true, subtree(email)))))).toBe("verified");
    expect(reasonOf(judge(constraining(context(1, true, subtree(opaque)))))).toBe("verified");
  });
  test("refuses every name of its kind, permitted or excluded, critical or not", () => {
    const names = (name: Uint8Array) => ({
      extensions: [extension(ID.san, sequence(context(2, false, text("example.com")), name))],
    });
    const address = context(1, false, text("a@example.com"));
    for (const number of [0, 1])
      for (const [base, name] of [
        [email, address],
        [opaque, opaque],
      ] as const)
        for (const isCritical of [true, false]) {
          const value = sequence(context(number, true, subtree(base)));
          const authority = { extensions: [extension(ID.names, value, isCritical)] };
          expect(judge({ authority, server: names(name) }).kind).toBe("refused");
        }
  });
});

describe("a constraint that is malformed makes its authority unusable:", () => {
  const dns = context(2, false, text("com"));
  const CASES: [what: string, value: readonly Uint8Array[]][] = [
    ["nothing in it", []],
    ["an empty list", [context(0, true)]],
    ["a wildcard", [context(0, true, subtree(context(2, false, text("*.com"))))]],
    ["a host name with a space", [context(1, true, subtree(context(2, false, text("a b"))))]],
    ["an address without mask", [context(1, true, subtree(context(7, false, ip("10.0.0.1"))))]],
    ["a mask with holes", [context(0, true, subtree(context(7, false, subnet("10.0.0.0", "255.0.255.0"))))]],
    ["a minimum", [context(0, true, subtree(dns, context(0, false, Uint8Array.of(0))))]],
    ["a maximum", [context(0, true, subtree(dns, context(1, false, Uint8Array.of(1))))]],
    ["a third list", [context(0, true, subtree(dns)), context(2, true, subtree(dns))]],
    ["the lists in the wrong order", [context(1, true, subtree(dns)), context(0, true, subtree(dns))]],
    ["no name", [context(0, true, subtree(octetString(text("com"))))]],
  ];
  for (const [what, value] of CASES)
    test(what, () =>
      expect(reasonOf(judge(constraining(...value)))).toStartWith(
        "its issuer 'authority' is not trusted here, and a certificate that came with it cannot be read: ",
      ),
    );
});

test("constraints of the root bind a server directly below it", () => {
  const root = (base: string): MadeCertificate =>
    makeRoot("root", { extensions: [nameConstraints({ permitted: [base] }, false)] });
  expect(verify([makeServer(root("example.com"))], [root("example.com")]).kind).toBe("verified");
  expect(verify([makeServer(root("example.org"))], [root("example.org")]).kind).toBe("refused");
});

test("case does not matter, and a label is matched as a whole", () => {
  const ask = (base: string, name: string) =>
    judge(
      { names: [name], authority: { extensions: [nameConstraints({ permitted: [base] })] } },
      { name: name.toLowerCase() },
    ).kind;
  expect(ask("EXAMPLE.com", "a.Example.COM")).toBe("verified");
  expect(ask("example.com", "badexample.com")).toBe("refused");
});
