import { describe, expect, test } from "bun:test";
import type { Header } from "../../../src/model/request.ts";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { flyClassifier } from "../../../src/protocols/fly/classify.ts";
import { tierOfFlyMutation } from "../../../src/protocols/fly/graphql.ts";
import { type Extras, requestOf } from "../request-of.ts";

type Row = readonly [
  line: string,
  tier: TierOrUnknown,
  command: string,
  labels?: Readonly<Record<string, string>>,
];

function check(rows: readonly Row[], extras?: Extras): void {
  for (const [line, tier, command, labels = {}] of rows) {
    const [method, url] = line.split(/ (.*)/s);
    const answer = flyClassifier.classify(requestOf(`${method} https://${url}`, extras));
    expect([line, answer.tier, answer.command, answer.labels]).toEqual([line, tier, command, labels]);
  }
}

const M = "api.machines.dev/v1/apps/web";
const APP = { app: "web" };

describe("the Machines API", () => {
  test("by path and method, with the app as label", () => {
    check([
      ["GET api.machines.dev/v1/apps?org_slug=acme", "observe", "apps.list", { org: "acme" }],
      ["POST api.machines.dev/v1/apps", "modify", "apps.create"],
      [`DELETE ${M}`, "sensitive", "apps.delete", APP],
      [`GET ${M}/machines`, "observe", "apps.machines.list", APP],
      [`POST ${M}/machines/m1`, "modify", "apps.machines.update", APP],
      [`POST ${M}/machines/m1/stop`, "modify", "apps.machines.stop.create", APP],
      [`DELETE ${M}/machines/m1?force=true`, "sensitive", "apps.machines.delete", APP],
      ["GET api.machines.dev/v1/orgs/acme/machines", "observe", "orgs.machines.list", { org: "acme" }],
      ["POST api.machines.dev/v1/platform/placements", "observe", "platform.placements.create"],
    ]);
  });

  test("the body of a creation names the app and its organization", () => {
    const line = "POST api.machines.dev/v1/apps";
    const created = { app: "web", org: "acme" };
    check([[line, "modify", "apps.create", created]], { body: '{"app_name":"web","org_slug":"acme"}' });
    check([[line, "unknown", "apps.create"]], { body: '{"App_Name":"web"}' });
    check([[line, "unknown", "apps.create"]], { body: '{"app_name":"web","app_name":"x"}' });
    check([[line, "unknown", "apps.create"]], { unread: true });
    expect(flyClassifier.needsBody(requestOf(`POST https://api.machines.dev/v1/apps`))).toBe(true);
    expect(flyClassifier.needsBody(requestOf(`GET https://api.machines.dev/v1/apps`))).toBe(false);
  });

  test("commands, keys and tokens are worse", () => {
    check([
      [`POST ${M}/machines/m1/exec`, "break-glass", "apps.machines.exec.create", APP],
      [`POST ${M}/deploy_token`, "break-glass", "apps.deploy_token.create", APP],
      ["POST api.machines.dev/v1/tokens/oidc", "break-glass", "tokens.oidc.create"],
      [`POST ${M}/secrets`, "sensitive", "apps.secrets.create", APP],
      [`POST ${M}/secretkeys/k/sign`, "sensitive", "apps.secretkeys.sign.create", APP],
      [`POST ${M}/certificates/custom`, "sensitive", "apps.certificates.custom.create", APP],
    ]);
    const answer = flyClassifier.classify(requestOf(`POST https://${M}/machines/m1/exec`));
    expect(answer.aliases).toEqual(["machines exec"]);
  });

  test("secrets are listed by name, unless their values are asked for", () => {
    check([
      [`GET ${M}/secrets`, "observe", "apps.secrets.list", APP],
      [`GET ${M}/secrets?show_secrets=false`, "observe", "apps.secrets.list", APP],
      [`GET ${M}/secrets?show_secrets=true`, "sensitive", "apps.secrets.list", APP],
      [`GET ${M}/secrets?show_secrets=1`, "sensitive", "apps.secrets.list", APP],
      [`GET ${M}/secrets?show%5Fsecrets=T`, "sensitive", "apps.secrets.list", APP],
      [`GET ${M}/secrets/DB?show_secrets=true`, "sensitive", "apps.secrets.get", APP],
      [`GET ${M}/secrets?show_secrets=%zz`, "sensitive", "apps.secrets.list", APP],
    ]);
  });

  test("what is not published is unknown, and never better than its method", () => {
    check([
      [`GET ${M}/frob`, "unknown", "", APP],
      [`FROB ${M}/machines`, "unknown", "", APP],
      ["GET api.machines.dev/v2/apps", "unknown", ""],
    ]);
    const answer = flyClassifier.classify(requestOf(`POST https://${M}/containers/c/exec`));
    expect(answer.parts?.map((part) => part.tier)).toContain("break-glass");
  });
});

test("the web API that flyctl uses", () => {
  check([
    ["GET api.fly.io/api/v1/apps/web/logs?region=fra", "observe", "apps.logs.list", APP],
    ["GET api.fly.io/api/v1/postgres/c/users/u/credentials", "sensitive", "postgres.users.credentials.list"],
    ["GET api.fly.io/api/v1/postgres/c", "sensitive", "postgres.get"],
    ["POST api.fly.io/api/v1/postgres/c/users", "break-glass", "postgres.users.create"],
    ["POST api.fly.io/api/v1/cli_sessions", "observe", "cli_sessions.create"],
    ["GET api.fly.io/prometheus/acme/api/v1/query?query=up", "observe", "prometheus.query", { org: "acme" }],
    ["GET api.fly.io/frob", "unknown", ""],
  ]);
});

describe("GraphQL", () => {
  const body = (query: string, variables: unknown = {}): Extras => ({
    body: JSON.stringify({ query, variables }),
    headers: [["Content-Type", "application/json"]],
  });
  const run = (tier: TierOrUnknown, command: string, labels: Record<string, string>, extras: Extras) =>
    check([["POST api.fly.io/graphql", tier, command, labels]], extras);

  test("queries read, and name their app or organization", () => {
    run("observe", "query app", APP, body("query($n:String!){app(name:$n){id}}", { n: "web" }));
    run("observe", "query organization", { org: "acme" }, body('{organization(slug:"acme"){id}}'));
    run("observe", "query viewer", {}, body("query{ mutation: viewer { __typename } }"));
  });

  test("a query that asks for a credential is sensitive, however deep", () => {
    run("sensitive", "query app", APP, body('{app(name:"web"){limitedAccessTokens{nodes{token}}}}'));
    run("sensitive", "query addOn", {}, body("{addOn(id:1){...F}} fragment F on AddOn{secret: password}"));
  });

  test("a mutation names the app that it changes", () => {
    const mutation = "mutation($input:SetVMSizeInput!){setVmSize(input:$input){app{id}}}";
    run("modify", "mutation setVmSize", APP, body(mutation, { input: { appId: "web" } }));
    run("sensitive", "mutation deleteApp", APP, body('mutation{deleteApp(appId:"web"){organization{id}}}'));
  });

  test("several fields are judged one by one", () => {
    const answer = flyClassifier.classify(
      requestOf(
        "POST https://api.fly.io/graphql",
        body('mutation{a:restartApp(input:{appId:"dev"}){__typename} b:deleteApp(appId:"prod"){__typename}}'),
      ),
    );
    expect(answer.tier).toBe("sensitive");
    expect(answer.parts?.map(({ tier, labels }) => [tier, labels.app])).toEqual([
      ["modify", "dev"],
      ["sensitive", "prod"],
    ]);
  });

  test("mutations by the words of their names", () => {
    for (const [name, tier] of [
      ["createApp", "modify"],
      ["updateRelease", "modify"],
      ["removeMachine", "sensitive"],
      ["unsetSecrets", "sensitive"],
      ["setSecrets", "sensitive"],
      ["deleteLimitedAccessToken", "sensitive"],
      ["createLimitedAccessToken", "break-glass"],
      ["createDelegatedWireGuardToken", "break-glass"],
      ["addWireGuardPeer", "break-glass"],
      ["validateWireGuardPeers", "modify"],
      ["issueCertificate", "break-glass"],
      ["importCertificate", "sensitive"],
      ["establishSshKey", "break-glass"],
      ["createOrganizationInvitation", "break-glass"],
      ["disableOneTimePassword", "break-glass"],
    ] as const)
      expect([name, tierOfFlyMutation(name).tier]).toEqual([name, tier]);
  });

  test("a verb that Fly does not use, an unreadable or absent document are unknown", () => {
    run("unknown", "mutation frobApp", {}, body("mutation{frobApp{id}}"));
    run("unknown", "", {}, { body: "{" });
    run("unknown", "", {}, { unread: true });
    run("unknown", "", {}, {});
  });
});

test("apps at fly.dev go by method, under their name", () => {
  check([
    ["GET web.fly.dev/", "observe", "GET", APP],
    ["POST web.fly.dev/v1/delete-user", "sensitive", "POST", APP],
    ["GET www.example/", "observe", "GET"],
  ]);
});

test("what flyctl reports of its own use is observed, and nothing else at that host", () => {
  const report = "POST https://flyctl-metrics.fly.dev/v1/command_stats";
  const tierOf = (line: string, headers: readonly Header[] = []) =>
    flyClassifier.classify(requestOf(line, { headers })).tier;
  expect(tierOf(report)).toBe("observe");
  expect(tierOf("DELETE https://flyctl-metrics.fly.dev/v1/command_stats")).toBe("sensitive");
  expect(tierOf(report, [["X-HTTP-Method-Override", "DELETE"]])).toBe("sensitive");
  expect(tierOf("POST https://flyctl-metrics.fly.dev/v1/a/b")).toBe("modify");
  expect(tierOf("POST https://other.fly.dev/v1/command_stats")).toBe("modify");
});

test("today's flyctl: Managed Postgres of the second kind, builds, releases", () => {
  const W = "api.fly.io/api/v1";
  const org = { org: "acme" };
  check([
    [`GET ${W}/organizations/acme/postgresv2`, "observe", "organizations.postgresv2.list", org],
    [`POST ${W}/organizations/acme/postgresv2`, "modify", "organizations.postgresv2.create", org],
    [
      `GET ${W}/organizations/acme/postgresv2/regions`,
      "observe",
      "organizations.postgresv2.regions.list",
      org,
    ],
    // The answer holds the cluster's password.
    [`GET ${W}/postgresv2/c`, "sensitive", "postgresv2.get"],
    [`DELETE ${W}/postgresv2/c`, "sensitive", "postgresv2.delete"],
    [`GET ${W}/postgresv2/c/users`, "observe", "postgresv2.users.list"],
    [`POST ${W}/postgresv2/c/users`, "break-glass", "postgresv2.users.create"],
    [`GET ${W}/postgresv2/c/users/u/credentials`, "sensitive", "postgresv2.users.credentials.list"],
    [`GET ${W}/postgresv2/c/databases/d/extensions`, "observe", "postgresv2.databases.extensions.list"],
    [`POST ${W}/postgresv2/c/backups`, "modify", "postgresv2.backups.create"],
    [`GET ${W}/apps/web/releases/current`, "observe", "apps.releases.current.list", APP],
    [`PATCH ${W}/releases/r`, "modify", "releases.update"],
    [`GET ${W}/releases/all_current`, "observe", "releases.all_current.list"],
    [`POST ${W}/builds/finish`, "modify", "builds.finish.create"],
    [`POST ${W}/builds/depot_builder`, "modify", "builds.depot_builder.create"],
  ]);
});
