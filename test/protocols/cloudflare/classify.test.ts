import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { cloudflareClassifier } from "../../../src/protocols/cloudflare/classify.ts";
import { type Extras, requestOf } from "../request-of.ts";

type Row = readonly [
  line: string,
  tier: TierOrUnknown,
  command: string,
  labels?: Readonly<Record<string, string>>,
];

function check(rows: readonly Row[], extras?: Extras): void {
  for (const [line, tier, command, labels = {}] of rows) {
    const [method, path = ""] = line.split(/ (.*)/s);
    const url = path.startsWith("/") ? `https://api.cloudflare.com/client/v4${path}` : path;
    const answer = cloudflareClassifier.classify(requestOf(`${method} ${url}`, extras));
    expect([line, answer.tier, answer.command, answer.labels]).toEqual([line, tier, command, labels]);
  }
}

const A = { account: "a1" };
const Z = { zone: "z1" };

describe("published paths give command and labels", () => {
  test("the SDK's name is the command, accounts and zones are labels", () => {
    check([
      ["GET /zones", "observe", "zones.list"],
      ["GET /zones/z1", "observe", "zones.get", Z],
      ["HEAD /zones/z1", "observe", "zones.get", Z],
      ["POST /zones/z1/dns_records", "modify", "dns.records.create", Z],
      ["PATCH /zones/z1/dns_records/r", "modify", "dns.records.edit", Z],
      ["DELETE /zones/z1/dns_records/r", "sensitive", "dns.records.delete", Z],
      ["GET /accounts/a1/d1/database", "observe", "d1.database.list", A],
      ["DELETE /accounts/a1", "sensitive", "accounts.delete", A],
      [
        "PUT /accounts/a1/addressing/address_maps/m/zones/z1",
        "modify",
        "addressing.address_maps.zones.update",
        { ...A, ...Z },
      ],
    ]);
  });

  test("where a path is served for accounts and for zones, each is labelled as what it is", () => {
    check([
      ["GET /accounts/a1/rulesets", "observe", "rulesets.list", A],
      ["GET /zones/z1/rulesets", "observe", "rulesets.list", Z],
      [
        "POST /zones/z1/access/apps/x/policies",
        "break-glass",
        "zero_trust.access.applications.policies.create",
        Z,
      ],
    ]);
  });

  test("names that look like words of the API are only names", () => {
    check([
      ["GET /accounts/a1/workers/scripts/secrets", "observe", "workers.scripts.get", A],
      ["PUT /accounts/a1/workers/scripts/delete-user", "modify", "workers.scripts.update", A],
      ["GET /accounts/a1/storage/kv/namespaces/n/values/a%2Fb", "observe", "kv.namespaces.values.get", A],
      ["GET /accounts/a1/r2/buckets/b/objects/x/y/z", "observe", "r2.buckets.objects.get", A],
      ["POST /accounts/a1/ai/run/@cf/meta/llama-3", "observe", "ai.run", A],
    ]);
  });

  test("what only wrangler calls is known too", () => {
    check([
      ["GET /accounts/a1/workers/services/w", "observe", "workers.services.get", A],
      ["DELETE /accounts/a1/workers/services/w?force=true", "sensitive", "workers.services.delete", A],
      ["POST /pages/assets/upload", "modify", "pages.assets.upload"],
      [
        "PUT /accounts/a1/workers/services/w/environments/e/secrets",
        "sensitive",
        "workers.services.environments.secrets.update",
        A,
      ],
    ]);
  });
});

describe("tiers follow from words", () => {
  test("credentials and access are break-glass", () => {
    check([
      ["POST /user/tokens", "break-glass", "user.tokens.create"],
      ["PUT /user/tokens/t/value", "break-glass", "user.tokens.value.update"],
      ["POST /accounts/a1/tokens", "break-glass", "accounts.tokens.create", A],
      ["POST /accounts/a1/members", "break-glass", "accounts.members.create", A],
      ["POST /accounts/a1/r2/temp-access-credentials", "break-glass", "r2.temporary_credentials.create", A],
      [
        "POST /accounts/a1/cfd_tunnel/t/management",
        "break-glass",
        "zero_trust.tunnels.cloudflared.management.create",
        A,
      ],
      ["POST /certificates", "break-glass", "origin_ca_certificates.create"],
      ["PUT /accounts/a1/access/policies/p", "break-glass", "zero_trust.access.policies.update", A],
    ]);
  });

  test("reads that hand out a credential are sensitive, those that only name one are not", () => {
    check([
      ["GET /accounts/a1/cfd_tunnel/t/token", "sensitive", "zero_trust.tunnels.cloudflared.token.get", A],
      ["GET /accounts/a1/secondary_dns/tsigs/t", "sensitive", "dns.zone_transfers.tsigs.get", A],
      ["GET /accounts/a1/images/v1/keys", "sensitive", "images.v1.keys.list", A],
      ["GET /user/tokens/verify", "observe", "user.tokens.verify"],
      ["GET /accounts/a1/workers/scripts/w/secrets", "observe", "workers.scripts.secrets.list", A],
    ]);
  });

  test("purging and deleting by POST is deletion", () => {
    check([
      ["POST /zones/z1/purge_cache", "sensitive", "cache.purge", Z],
      [
        "POST /accounts/a1/storage/kv/namespaces/n/bulk/delete",
        "sensitive",
        "kv.namespaces.keys.bulk_delete",
        A,
      ],
      ["POST /accounts/a1/queues/q/purge", "sensitive", "queues.purge.start", A],
      ["POST /accounts/a1/storage/kv/namespaces/n/bulk/get", "observe", "kv.namespaces.keys.bulk_get", A],
    ]);
  });
});

describe("what is not published is unknown", () => {
  test("and keeps its labels and, beside the doubt, what its words say", () => {
    check([
      ["GET /accounts/a1/frob", "unknown", "", A],
      ["POST /zones", "modify", "zones.create"],
      ["FROB /zones", "unknown", ""],
      ["GET https://api.cloudflare.com/client/v5/zones", "unknown", ""],
    ]);
    const answer = cloudflareClassifier.classify(
      requestOf("POST https://api.cloudflare.com/client/v4/accounts/a1/frob/tokens"),
    );
    expect(answer.parts?.map((part) => part.tier)).toContain("modify");
  });

  test("a path with two readings keeps the worse one beside the doubt", () => {
    const answer = cloudflareClassifier.classify(
      requestOf("PUT https://api.cloudflare.com/client/v4/zones/../user/tokens/t/value"),
    );
    expect(answer.tier).toBe("unknown");
    expect(answer.parts?.map((part) => part.tier)).toContain("break-glass");
  });

  test("an upgraded connection too", () => {
    check([["GET /zones", "unknown", "zones.list"]], { headers: [["Upgrade", "websocket"]] });
  });
});

describe("GraphQL", () => {
  const url = "/graphql";
  const body = (query: string) => ({ body: JSON.stringify({ query }) });

  test("only reads", () => {
    check([[`POST ${url}`, "observe", "graphql.viewer"]], body("query Q { viewer { zones { tag } } }"));
  });

  test("a mutation is nothing that Cloudflare publishes", () => {
    check([[`POST ${url}`, "unknown", "graphql.frob"]], body("mutation { frob { id } }"));
  });

  test("what cannot be read is unknown", () => {
    check([[`POST ${url}`, "unknown", ""]], { body: "{" });
    check([[`POST ${url}`, "unknown", ""]], { unread: true });
    check([[`POST ${url}`, "unknown", ""]]);
  });

  test("asks for the body, REST does not", () => {
    const needs = (line: string) => cloudflareClassifier.needsBody(requestOf(line));
    expect(needs("POST https://api.cloudflare.com/client/v4/graphql")).toBe(true);
    expect(needs("POST https://api.cloudflare.com/client/v4/user/tokens")).toBe(false);
  });
});

test("wrangler's own login is observe; other hosts go by method", () => {
  check([
    ["POST https://dash.cloudflare.com/oauth2/token", "observe", "oauth2.token"],
    ["POST https://dash.cloudflare.com/oauth2/revoke", "modify", "POST"],
    ["GET https://x.workers.dev/a", "observe", "GET"],
    ["DELETE https://x.workers.dev/a", "sensitive", "DELETE"],
    ["GET https://api.fed.cloudflare.com/client/v4/zones", "observe", "zones.list"],
    ["GET https://abc1.r2.cloudflarestorage.com/b/k", "observe", "GET", { account: "abc1" }],
    ["POST https://abc1.eu.r2.cloudflarestorage.com/b?delete", "sensitive", "POST", { account: "abc1" }],
    ["POST https://abc1.r2.cloudflarestorage.com/b/k?uploads", "modify", "POST", { account: "abc1" }],
  ]);
});

describe("reads by POST, inference and SQL", () => {
  const rows: readonly (readonly [path: string, body: string, tier: TierOrUnknown])[] = [
    ["/accounts/a/ai/run/@cf/meta/llama-3", "{}", "observe"],
    ["/accounts/a/ai/v1/chat/completions", "{}", "observe"],
    ["/accounts/a/ai/v1/embeddings", "{}", "observe"],
    ["/accounts/a/ai/finetunes", "{}", "modify"],
    ["/accounts/a/vectorize/v2/indexes/i/query", "{}", "observe"],
    ["/accounts/a/vectorize/v2/indexes/i/get_by_ids", "{}", "observe"],
    ["/accounts/a/vectorize/v2/indexes/i/delete_by_ids", "{}", "sensitive"],
    ["/accounts/a/workers/observability/telemetry/query", "{}", "observe"],
    ["/accounts/a/workers/observability/telemetry/values", "{}", "observe"],
    ["/accounts/a/d1/database/b/query", '{"sql":"SELECT 1"}', "observe"],
    [
      "/accounts/a/d1/database/b/raw",
      '{"batch":[{"sql":"SELECT 1"},{"sql":"INSERT INTO t VALUES (1)"}]}',
      "modify",
    ],
    ["/accounts/a/d1/database/b/query", '[{"sql":"SELECT 1"},{"sql":"TRUNCATE t"}]', "sensitive"],
    ["/accounts/a/d1/database/b/query", '{"sql":"SELECT 1","sql":"DROP TABLE t"}', "unknown"],
    ["/accounts/a/d1/database/b/query", String.raw`{"sql":"\u0044ROP TABLE t"}`, "sensitive"],
    ["/accounts/a/d1/database/b/query", "", "unknown"],
    ["/zones/z/dns_records/batch", '{"posts":[{}],"deletes":[]}', "modify"],
    ["/zones/z/dns_records/batch", '{"posts":[{}],"deletes":[{"id":"x"}]}', "sensitive"],
  ];
  for (const [path, body, tier] of rows)
    test(`${path} ${body}`, () => {
      const request = requestOf(`POST https://api.cloudflare.com/client/v4${path}`, { body });
      expect(cloudflareClassifier.classify(request).tier).toBe(tier);
      if (/\/d1\/|batch/.test(path)) expect(cloudflareClassifier.needsBody(request)).toBe(true);
    });
});
