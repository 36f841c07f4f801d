// Which accounts and zones a request to Cloudflare acts in without naming them.

import { describe, expect, test } from "bun:test";
import { cloudflareClassifier } from "../../../src/protocols/cloudflare/classify.ts";
import { requestOf } from "../request-of.ts";

describe("unnamed scopes of", () => {
  const rows: readonly (readonly [line: string, unnamed: string])[] = [
    ["GET /zones/z1", "account"],
    ["DELETE /zones/z1/dns_records/1", "account"],
    ["GET /zones?name=example.com", "account zone"],
    ["POST /zones", "account zone"],
    ["GET /accounts/a1/workers/scripts", ""],
    ["PUT /accounts/a1/workers/scripts/shop", ""],
    ["PUT /accounts/a1/workers/domains", "zone"],
    ["GET /accounts/a1/rulesets", ""],
    ["POST /accounts/a1/rulesets", "zone"],
    ["DELETE /accounts/a1", "zone"],
    ["PUT /accounts/a1/d1/database/x/frob", ""],
    ["GET /accounts", ""],
    ["GET /user", ""],
    ["POST /user/tokens", ""],
    ["GET /memberships", ""],
    ["DELETE /memberships/1", "account"],
    ["DELETE /certificates/1", "account zone"],
    ["POST /pages/assets/upload", "account"],
    ["GET /ips", ""],
  ];
  for (const [line, unnamed] of rows)
    test(`${line}: ${unnamed || "none"}`, () => {
      const request = requestOf(line.replace(" ", " https://api.cloudflare.com/client/v4"));
      expect(cloudflareClassifier.classify(request).unnamedScopes?.join(" ") ?? "").toBe(unnamed);
    });

  test("what is no API: a bucket's account is in its host's name, a worker's nowhere", () => {
    const of = (line: string) => cloudflareClassifier.classify(requestOf(line)).unnamedScopes;
    expect(of("DELETE https://abc1.r2.cloudflarestorage.com/b/k")).toBeUndefined();
    expect(of("POST https://shop.example.workers.dev/orders")).toEqual(["account", "zone"]);
  });

  test("a GraphQL query, whose filters are not read", () => {
    const query = '{ viewer { zones(filter: { zoneTag: "z1" }) { zoneTag } } }';
    const line = "POST https://api.cloudflare.com/client/v4/graphql";
    const { unnamedScopes } = cloudflareClassifier.classify(
      requestOf(line, { body: JSON.stringify({ query }) }),
    );
    expect(unnamedScopes).toEqual(["account", "zone"]);
  });
});
