import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { cloudflareClassifier } from "../../../src/protocols/cloudflare/classify.ts";

type Row = readonly [
  line: string,
  tier: TierOrUnknown,
  command: string,
  labels?: Readonly<Record<string, string>>,
];

function check(rows: readonly Row[]): void {
  for (const [line, tier, command, labels = {}] of rows) {
    const answer = cloudflareClassifier.classifyArgv(line.split(" "));
    expect([line, answer.tier, answer.command, answer.labels]).toEqual([line, tier, command, labels]);
  }
}

describe("wrangler", () => {
  test("the command is the longest that the words begin with", () => {
    check([
      ["wrangler kv namespace list", "observe", "kv namespace list"],
      ["wrangler kv key delete k --namespace-id x --remote", "sensitive", "kv key delete"],
      ["wrangler d1 execute db --command SELECT", "observe", "d1 execute"],
      ["wrangler delete my-worker", "sensitive", "delete"],
      ["wrangler deploy src/index.ts", "modify", "deploy"],
      ["wrangler r2 bucket domain remove b", "sensitive", "r2 bucket domain remove"],
      ["wrangler whoami", "observe", "whoami"],
    ]);
  });

  test("flags stand anywhere, in kebab or camel case, and may take the next word", () => {
    check([
      ["wrangler --env production deploy", "modify", "deploy"],
      ["wrangler -e production secret put X", "sensitive", "secret put"],
      ["wrangler -c a/wrangler.toml --cwd=b tail", "modify", "tail"],
      ["wrangler kv key put k v --namespaceId x", "modify", "kv key put"],
      ["wrangler deploy --no-bundle --minify", "modify", "deploy"],
      ["wrangler containers ssh x -t", "break-glass", "containers ssh"],
    ]);
  });

  test("a dry run uploads nothing", () => {
    check([
      ["wrangler deploy --dry-run", "observe", "deploy"],
      ["wrangler deploy --dryRun --outdir x", "observe", "deploy"],
      ["wrangler deploy --dry-run=false", "modify", "deploy"],
      ["wrangler delete x --dry-run", "sensitive", "delete"],
    ]);
  });

  test("secrets and credentials", () => {
    check([
      ["wrangler secret list", "observe", "secret list"],
      ["wrangler secret bulk f.json", "sensitive", "secret bulk"],
      ["wrangler pages secret put X", "sensitive", "pages secret put"],
      ["wrangler secrets-store secret get x", "observe", "secrets-store secret get"],
      ["wrangler secrets-store secret update x", "sensitive", "secrets-store secret update"],
      ["wrangler auth token", "sensitive", "auth token"],
      ["wrangler login", "sensitive", "login"],
      ["wrangler containers registries credentials r", "break-glass", "containers registries credentials"],
    ]);
  });

  test("names of earlier versions", () => {
    check([
      ["wrangler publish", "modify", "deploy"],
      ["wrangler kv:key put k v", "modify", "kv key put"],
      ["wrangler kv:namespace delete --namespace-id x", "sensitive", "kv namespace delete"],
    ]);
  });

  test("groups and --help print help, what wrangler does not have is unknown", () => {
    check([
      ["wrangler", "observe", "help"],
      ["wrangler --version", "observe", "help"],
      ["wrangler kv", "observe", "kv"],
      ["wrangler delete x --help", "observe", "delete"],
      ["wrangler frob", "unknown", ""],
      ["wrangler kv frob", "unknown", "kv"],
      ["wrangler kv namespace list --frob x", "unknown", "kv namespace list"],
      ["wrangler kv:frob list", "unknown", "kv"],
    ]);
  });
});

describe("flarectl", () => {
  test("by verb, with the zone as label", () => {
    check([
      ["flarectl zone list", "observe", "zone list"],
      ["flarectl z l", "observe", "zone l"],
      [
        "flarectl --account-id a1 zone create --zone example.com",
        "modify",
        "zone create",
        { account: "a1", zone: "example.com" },
      ],
      [
        "flarectl dns create --zone example.com --name a --type A --content 1.2.3.4",
        "modify",
        "dns create",
        { zone: "example.com" },
      ],
      ["flarectl dns delete -zone=example.com --id 1", "sensitive", "dns delete", { zone: "example.com" }],
      [
        "flarectl zone purge --zone example.com --everything",
        "sensitive",
        "zone purge",
        { zone: "example.com" },
      ],
      ["flarectl firewall rules list", "observe", "firewall rules list"],
      ["flarectl f rules delete --id 1", "sensitive", "firewall rules delete"],
      ["flarectl ips", "observe", "ips"],
      ["flarectl zone", "observe", "zone"],
      ["flarectl frob list", "unknown", "frob list"],
      ["flarectl zone list --frob x", "unknown", "zone list"],
    ]);
  });
});

describe("the SQL of d1 execute decides", () => {
  const rows: readonly (readonly [args: readonly string[], tier: TierOrUnknown])[] = [
    [["--command", "SELECT 1"], "observe"],
    [["--remote", "--command=INSERT INTO t VALUES ('DROP TABLE t')"], "modify"],
    [["--remote", "--command", "DROP TABLE t"], "sensitive"],
    [["--command", "SELECT 1", "--file", "x.sql"], "modify"],
    [["--file", "x.sql"], "modify"],
  ];
  for (const [args, tier] of rows)
    test(args.join(" "), () =>
      expect(cloudflareClassifier.classifyArgv(["wrangler", "d1", "execute", "db", ...args]).tier).toBe(tier),
    );
});
