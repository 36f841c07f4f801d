// A device believes of its server only texts that a pinned key signed for it, whole, in time, and
// never an older policy.

import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { isRequestSigned, signedHeaders, writePublicKey } from "../../../src/api/fleet/request-signature.ts";
import {
  openBundle,
  openDecision,
  openSigned,
  type Payload,
  policyDigest,
  signPayload,
} from "../../../src/api/fleet/signed.ts";

const NOW = 1_800_000_000_000;
const tenant = "00112233aabbccdd";
const own = generateKeyPairSync("ed25519").privateKey;
const strange = generateKeyPairSync("ed25519").privateKey;
const keys = [{ id: "key_1", public_key: writePublicKey(own) }];
const signer = { id: "key_1", privateKey: own };
const POLICY = "kubectl:\n  default: deny\n";

function bundle(change: Partial<Payload<"bundle">> = {}): Payload<"bundle"> {
  return {
    tenant,
    kind: "enforced",
    epoch: 1,
    revision: 7,
    digest: policyDigest(POLICY),
    policy: POLICY,
    central_tiers: ["break-glass"],
    issued_ms: NOW,
    expires_ms: NOW + 1000,
    max_age_ms: 0,
    ...change,
  };
}

const standing = { tenant, keys, wanted: "enforced" as const, have: undefined, nowMs: NOW };
const at = (epoch: number, revision: number, digest = policyDigest(POLICY)) => ({ epoch, revision, digest });

describe("a policy bundle", () => {
  test("is taken when it is newer, and when it is the very same", () => {
    const signed = signPayload("bundle", bundle(), signer);
    for (const have of [undefined, at(1, 6), at(0, 99), at(1, 7)])
      expect(openBundle(signed, { ...standing, have }).kind).toBe("good");
  });

  const ATTACKS = [
    { name: "an older revision", change: {}, have: at(1, 8), says: "not newer" },
    { name: "an older epoch", change: { revision: 99 }, have: at(2, 1), says: "not newer" },
    {
      name: "the same revision, another policy",
      change: {},
      have: at(1, 7, "0".repeat(64)),
      says: "not newer",
    },
    { name: "another tenant's", change: { tenant: "ffff" }, says: "another tenant" },
    { name: "the other kind", change: { kind: "dry" as const }, says: "kind" },
    { name: "an expired one", change: { expires_ms: NOW }, says: "expired" },
    { name: "a cut policy", change: { policy: POLICY.slice(0, -3) }, says: "digest" },
  ];
  for (const { name, change, have, says } of ATTACKS)
    test(`is refused: ${name}`, () => {
      const opened = openBundle(signPayload("bundle", bundle(change), signer), { ...standing, have });
      expect(opened.kind === "refused" ? opened.reason : "taken").toContain(says);
    });

  test("is refused when another key signed it, whatever it calls itself", () => {
    for (const id of ["key_1", "key_2"]) {
      const signed = signPayload("bundle", bundle(), { id, privateKey: strange });
      expect(openBundle(signed, standing).kind).toBe("refused");
    }
  });

  test("is refused with any octet missing or changed", () => {
    const signed = signPayload("bundle", bundle(), signer);
    for (let end = 0; end < signed.payload.length; end += 1)
      expect(openBundle({ ...signed, payload: signed.payload.slice(0, end) }, standing).kind).toBe("refused");
    for (let place = 0; place < signed.payload.length; place += 1) {
      const other = signed.payload[place] === "x" ? "y" : "x";
      const payload = signed.payload.slice(0, place) + other + signed.payload.slice(place + 1);
      expect(openBundle({ ...signed, payload }, standing).kind).toBe("refused");
    }
  });
});

describe("a decision", () => {
  const value: Payload<"decision"> = {
    tenant,
    device: "dev_1",
    approval: "appr_1",
    digest: "d1",
    nonce: "n1",
    verb: "allow",
    for_ms: 0,
    by: "Ada",
    by_id: "per_1",
    reason: "",
    decided_ms: NOW,
    expires_ms: NOW + 1000,
  };
  const held = (approval: string) => (approval === "appr_1" ? { digest: "d1", nonce: "n1" } : undefined);
  const waits = { tenant, device: "dev_1", keys, nowMs: NOW, held };

  test("is believed for the hold that it is about", () => {
    expect(openDecision(signPayload("decision", value, signer), waits).kind).toBe("good");
  });

  const WRONG: readonly Partial<Payload<"decision">>[] = [
    { tenant: "other" },
    { device: "dev_2" },
    { approval: "appr_2" },
    { digest: "d2" },
    { nonce: "n0" },
    { expires_ms: NOW },
  ];
  for (const change of WRONG)
    test(`is refused with another ${Object.keys(change)[0]}`, () => {
      const signed = signPayload("decision", { ...value, ...change }, signer);
      expect(openDecision(signed, waits).kind).toBe("refused");
    });

  test("is no bundle, and a bundle is no decision", () => {
    const signed = signPayload("decision", value, signer);
    expect(openSigned("bundle", signed, standing).kind).toBe("refused");
    expect(openSigned("bundle", { ...signed, kind: "bundle" }, standing).kind).toBe("refused");
  });
});

test("a request is the device's only with its path, device, time, nonce and body as they were signed", () => {
  const identity = { tenant, device: "dev_1" };
  const headers = signedHeaders(identity, own, { path: "/fleet/v1/wait", body: "{}", timeMs: NOW });
  const stamp = { ...identity, path: "/fleet/v1/wait", timeMs: NOW, nonce: headers["iddio-nonce"] ?? "" };
  const key = generateKeyPairSync("ed25519").publicKey;
  const signature = headers["iddio-signature"] ?? "";
  const check = (change: object, body = "{}") =>
    isRequestSigned({ ...stamp, ...change }, body, signature, own);
  expect(check({})).toBe(true);
  expect(isRequestSigned(stamp, "{}", signature, key)).toBe(false);
  for (const change of [
    { path: "/fleet/v1/audit" },
    { device: "dev_2" },
    { tenant: "x" },
    { timeMs: NOW + 1 },
    { nonce: "0" },
  ])
    expect(check(change)).toBe(false);
  expect(check({}, "{} ")).toBe(false);
});
