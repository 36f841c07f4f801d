// Finding a path among many certificates: whatever the graph of authorities, a chain is accepted
// exactly when some path from the root to the server has no broken link; and no graph costs more
// than a bound.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  ALGORITHM,
  basicConstraints,
  type CertificateParts,
  ID,
  keysOf,
  keyUsage,
  type MadeCertificate,
  makeAuthority,
  makeRoot,
  makeServer,
  nameConstraints,
  nameOf,
  usages,
} from "../support/certificates/certificate-maker.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";
import { reasonOf, verify } from "../support/policy/judge-chain.ts";

/** Ways in which one authority's certificate for another can be worth nothing. */
const BROKEN: readonly CertificateParts[] = [
  { to: new Date("2030-01-01") },
  { from: new Date("2031-01-01") },
  { extensions: [nameConstraints({ permitted: ["example.org"] })] },
  { extensions: [nameConstraints({ excluded: ["example.com"] })] },
  { extensions: [usages("1.3.6.1.5.5.7.3.4")] },
  { withoutExtensions: [ID.basic] },
  { extensions: [basicConstraints(false)] },
  { extensions: [keyUsage(0, 6)] },
  { algorithm: ALGORITHM.ecdsaSha1 },
  { issuerKeys: keysOf("somebody else") },
];

interface Edge {
  readonly from: number;
  readonly to: number;
  /** Index into BROKEN; beyond it the certificate is good. */
  readonly flaw: number;
}

const NODES = 5;
const made = new Map<string, MadeCertificate>();

/** An authority of its own for each number; 0 is the root. Certificates are made once for all runs. */
function certificateOf({ from, to, flaw }: Edge): MadeCertificate {
  const key = `${from} ${to} ${Math.min(flaw, BROKEN.length)}`;
  const label = (node: number) => (node === 0 ? "root" : `authority ${node}`);
  const issuer = { ...makeRoot(), subject: nameOf(label(from)), keys: keysOf(label(from)) };
  const certificate = made.get(key) ?? makeAuthority(issuer, label(to), BROKEN[flaw] ?? {});
  made.set(key, certificate);
  return certificate;
}

function reaches(edges: readonly Edge[], goal: number): boolean {
  const seen = new Set([0]);
  for (let size = 0; size < seen.size; ) {
    size = seen.size;
    for (const { from, to, flaw } of edges) if (flaw >= BROKEN.length && seen.has(from)) seen.add(to);
  }
  return seen.has(goal);
}

const edge = fc.record({
  from: fc.nat({ max: NODES - 1 }),
  to: fc.integer({ min: 1, max: NODES - 1 }),
  flaw: fc.nat({ max: 2 * BROKEN.length }),
});

test("a server is accepted exactly when a path without a broken link leads to it", () => {
  const root = makeRoot();
  const last = { ...root, subject: nameOf(`authority ${NODES - 1}`), keys: keysOf(`authority ${NODES - 1}`) };
  const server = makeServer(last);
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 12 }), (edges) => {
      const isAccepted = verify([server, ...edges.map(certificateOf)], [root]).kind === "verified";
      if (isAccepted) accepted += 1;
      expect(isAccepted).toBe(reaches(edges, NODES - 1));
    }),
    { numRuns: fuzzRuns(300) },
  );
  expect(accepted).toBeGreaterThan(0);
});

describe("a path is found", () => {
  const root = makeRoot();
  const a = makeAuthority(root, "a");
  const b = makeAuthority(a, "b");
  const server = makeServer(b);
  const stray = makeAuthority(makeRoot("stray"), "stray authority");
  const CASES: [what: string, presented: readonly MadeCertificate[]][] = [
    ["in order", [server, b, a]],
    ["out of order", [server, a, b]],
    ["with the root", [server, b, a, root]],
    ["with certificates that belong to nothing", [server, stray, b, stray, a]],
    ["with its own certificate again", [server, server, b, a, server]],
    [
      "past a cross-signed authority that another root issued",
      [server, b, makeAuthority(makeRoot("stray"), "a"), a],
    ],
    ["past an expired certificate of the same authority", [server, makeAuthority(a, "b", BROKEN[0]), b, a]],
    ["past an expired copy of the root", [server, b, a, makeRoot("root", { to: new Date("2021-01-01") })]],
  ];
  for (const [what, presented] of CASES)
    test(what, () => expect(reasonOf(verify(presented, [root]))).toBe("verified"));

  test("to whichever of several trusted roots works", () => {
    const old = makeRoot("root", { to: new Date("2021-01-01") });
    const namesake = makeRoot("root", { keys: keysOf("a namesake") });
    expect(verify([server, b, a], [old, namesake, root, makeRoot("stray")]).kind).toBe("verified");
  });
});

test("an authority's certificate for its own new key counts neither as a step nor for name constraints", () => {
  const root = makeRoot("root", {
    extensions: [basicConstraints(true, 0), nameConstraints({ permitted: ["example.com"] })],
  });
  const renewed = makeAuthority(root, "root", { subject: root.subject, keys: keysOf("the new key") });
  expect(reasonOf(verify([makeServer(renewed), renewed], [root]))).toBe("verified");
  const other = makeAuthority(root, "another");
  expect(verify([makeServer(other), other], [root]).kind).toBe("refused");
});

describe("work is bounded", () => {
  test("when every authority signed every other", () => {
    const labels = Array.from({ length: 8 }, (_, index) => `ring ${index}`);
    const ring = labels.flatMap((to) =>
      labels.map((from) => makeAuthority({ ...makeRoot(), subject: nameOf(from), keys: keysOf(from) }, to)),
    );
    const server = makeServer({ ...makeRoot(), subject: nameOf("ring 0"), keys: keysOf("ring 0") });
    const before = performance.now();
    expect(verify([server, ...ring], [makeRoot("elsewhere")]).kind).toBe("refused");
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  test("when many certificates share a name and a key identifier", () => {
    const label = "a crowd";
    const crowd = Array.from({ length: 80 }, () =>
      makeAuthority(makeRoot("elsewhere"), label, { keys: keysOf("crowd") }),
    );
    const server = makeServer({ ...makeRoot(), subject: nameOf(label), keys: keysOf("crowd") });
    expect(verify([server, ...crowd], [makeRoot()]).kind).toBe("refused");
  });

  test("when names and constraints are many", () => {
    const many = (count: number, tail: string) =>
      Array.from({ length: count }, (_, index) => `n${index}.${tail}`);
    const root = makeRoot("root", {
      extensions: [nameConstraints({ excluded: many(1_500, "example.org") })],
    });
    const before = performance.now();
    const reason = reasonOf(
      verify([makeServer(root, ["example.com", ...many(1_500, "example.com")])], [root]),
    );
    expect(reason).toBe("the trusted root 'root' has name constraints that are too many to check");
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  test("a thousand names are no trouble", () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `n${index}.example.com`);
    expect(verify([makeServer(makeRoot(), ["example.com", ...names])], [makeRoot()]).kind).toBe("verified");
  });
});
