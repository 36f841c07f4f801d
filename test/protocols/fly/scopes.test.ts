// Which apps and organizations a request to Fly acts in without naming them.

import { describe, expect, test } from "bun:test";
import { flyClassifier } from "../../../src/protocols/fly/classify.ts";
import { requestOf } from "../request-of.ts";

describe("REST: unnamed scopes of", () => {
  const rows: readonly (readonly [line: string, unnamed: string])[] = [
    ["GET api.machines.dev/v1/apps/web", "org"],
    ["DELETE api.machines.dev/v1/apps/web/machines/1", "org"],
    ["GET api.machines.dev/v1/apps?org_slug=acme", "app"],
    ["GET api.machines.dev/v1/apps", "app org"],
    ["GET api.machines.dev/v1/orgs/acme/machines", "app"],
    ["GET api.machines.dev/v1/platform/regions", ""],
    ["GET api.machines.dev/v1/tokens/current", ""],
    ["POST api.machines.dev/v1/tokens/oidc", "app org"],
    ["GET api.fly.io/api/v1/organizations", ""],
    ["GET api.fly.io/api/v1/organizations/acme", ""],
    ["POST api.fly.io/api/v1/organizations/acme/builders", "app"],
    ["DELETE api.fly.io/api/v1/postgres/1", "org"],
    ["POST api.fly.io/api/v1/postgres/1/attachments", "app org"],
    ["POST web.fly.dev/things", "org"],
    ["PUT registry.fly.io/v2/web/manifests/latest", "org"],
    ["POST shop.example/things", "app org"],
  ];
  for (const [line, unnamed] of rows)
    test(`${line}: ${unnamed || "none"}`, () => {
      const { unnamedScopes } = flyClassifier.classify(requestOf(line.replace(" ", " https://")));
      expect(unnamedScopes?.join(" ") ?? "").toBe(unnamed);
    });
});

describe("GraphQL: unnamed scopes of", () => {
  const rows: readonly (readonly [query: string, unnamed: string, app?: string])[] = [
    ['{ app(name: "web") { id name organization { id slug } status } }', "org", "web"],
    ['{ app(name: "web") { organization { apps { nodes { hostname } } } } }', "app org", "web"],
    ['{ app(internalId: "77") { name } }', "app org", "77"],
    ['{ organization(slug: "acme") { billable } }', ""],
    ['{ organization(slug: "acme") { apps { nodes { hostname } } } }', "app"],
    ["{ organizations { nodes { id slug name } } }", ""],
    ["{ organizations { nodes { slug members { totalCount } } } }", "org"],
    ["{ apps { nodes { id } } }", "app org"],
    ['{ node(id: "x") { id } }', "app org"],
    ["{ viewer { email } }", ""],
    ["{ platform { regions { code } } }", ""],
    ['mutation { setSecrets(input: { appId: "web" }) { release { id } } }', "org", "web"],
    ['mutation { deleteApp(appId: "web") { organization { id } } }', "org", "web"],
    ['mutation { createApp(input: { name: "web", organizationId: "o" }) { app { id } } }', "org", "web"],
    ['mutation { deleteVolume(input: { volumeId: "vol_1" }) { app { name } } }', "app org"],
    ['mutation { removeMachine(input: { appId: "web", id: "1" }) { machine { id } } }', "app org", "web"],
    [
      'mutation { attachPostgresCluster(input: { appId: "web", postgresClusterAppId: "db" }) { a } }',
      "app org",
      "web",
    ],
    ['mutation { deleteOrganization(input: { organizationId: "o" }) { a } }', "app org"],
    ["mutation { __typename }", ""],
  ];
  for (const [query, unnamed, app] of rows)
    test(`${query}: ${unnamed || "none"}`, () => {
      const request = requestOf("POST https://api.fly.io/graphql", { body: JSON.stringify({ query }) });
      const { unnamedScopes, labels } = flyClassifier.classify(request);
      expect([unnamedScopes?.join(" ") ?? "", labels.app]).toEqual([unnamed, app]);
    });
});
