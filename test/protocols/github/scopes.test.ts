// Which repositories and organisations a GitHub request acts in without naming them. That it then
// meets the strictest entry of a scope list is test/policy's.

import { describe, expect, test } from "bun:test";
import { githubClassifier } from "../../../src/protocols/github/classify.ts";
import { requestOf } from "../request-of.ts";

type Row = readonly [what: string, unnamed: string, labels?: Readonly<Record<string, string>>];

function check(what: string, unnamed: string, labels: Row[2], body?: string): void {
  const answer = githubClassifier.classify(requestOf(what, body === undefined ? {} : { body }));
  expect([answer.unnamedScopes?.join(" ") ?? "", answer.labels]).toEqual([unnamed, labels ?? {}]);
}

describe("REST: unnamed scopes of", () => {
  const rows: readonly Row[] = [
    ["GET /repos/acme/web/issues", "", { repo: "acme/web", org: "acme" }],
    ["POST /repos/acme/web/issues", "", { repo: "acme/web", org: "acme" }],
    ["DELETE /repos/acme/web", "", { repo: "acme/web", org: "acme" }],
    // By number.
    ["DELETE /repositories/1234", "repo org"],
    ["GET /repositories/1234/issues?page=2", "repo org"],
    ["GET /organizations/12/repos?page=2", "repo org"],
    ["GET /organizations/12/members?page=2", "org"],
    ["PUT /orgs/acme/actions/secrets/TOKEN/repositories/1234", "repo", { org: "acme" }],
    ["PUT /user/installations/1/repositories/2", "repo org"],
    ["DELETE /teams/7", "repo org"],
    // Lists across them.
    ["GET /orgs/acme/repos", "repo", { org: "acme" }],
    ["GET /orgs/acme/dependabot/alerts", "repo", { org: "acme" }],
    ["GET /search/code?q=x", "repo org"],
    ["GET /search/issues?q=repo:acme/web", "repo org"],
    ["GET /search/users?q=x", ""],
    ["GET /issues", "repo org"],
    ["GET /notifications", "repo org"],
    ["PUT /notifications", "repo org"],
    ["GET /user/repos", "repo org"],
    ["GET /user/orgs", "org"],
    ["POST /user/codespaces", "repo org"],
    // Changes above repositories.
    ["POST /orgs/acme/repos", "repo", { org: "acme" }],
    ["DELETE /orgs/acme", "repo", { org: "acme" }],
    ["PUT /orgs/acme/actions/permissions", "repo", { org: "acme" }],
    ["POST /orgs/acme/dependabot_alerts/enable_all", "repo", { org: "acme" }],
    ["POST /orgs/acme/rulesets", "repo", { org: "acme" }],
    ["PUT /enterprises/big/actions/permissions", "repo org", { enterprise: "big" }],
    ["GET /orgs/acme", "", { org: "acme" }],
    ["GET /orgs/acme/members", "", { org: "acme" }],
    ["PUT /orgs/acme/memberships/bob", "", { org: "acme" }],
    ["DELETE /orgs/acme/packages/npm/x", "", { org: "acme" }],
    // From one into another.
    ["POST /repos/acme/web/forks", "repo org", { repo: "acme/web", org: "acme" }],
    ["POST /repos/acme/web/transfer", "repo org", { repo: "acme/web", org: "acme" }],
    // In none.
    ["GET /user", ""],
    ["POST /user/keys", ""],
    ["PUT /user/following/bob", ""],
    ["GET /users/bob", ""],
    ["POST /gists", ""],
    ["DELETE /gists/1", ""],
    ["GET /rate_limit", ""],
    ["POST /markdown", ""],
    ["GET /advisories", ""],
  ];
  for (const [line, unnamed, labels] of rows)
    test(line, () => check(line.replace(" ", " https://api.github.com"), unnamed, labels));
});

describe("other hosts: unnamed scopes of", () => {
  const rows: readonly Row[] = [
    ["POST https://github.com/acme/web.git/git-receive-pack", "", { repo: "acme/web", org: "acme" }],
    ["POST https://github.com/acme/web/more/git-receive-pack", "repo org"],
    ["POST https://github.com/ac%20me/web/git-receive-pack", "repo org"],
    ["POST https://ghe.example/gist/abc.git/git-receive-pack", ""],
    ["GET https://codeload.github.com/acme/web/tar.gz/main", "", { repo: "acme/web", org: "acme" }],
    ["GET https://media.githubusercontent.com/media/acme/web/main/a", "", { repo: "acme/web", org: "acme" }],
    ["GET https://objects.githubusercontent.com/x/1/2?sig=a", ""],
    ["GET https://ghcr.io/v2/acme/web/manifests/latest", "", { org: "acme" }],
    ["GET https://ghcr.io/v2/", ""],
    ["GET https://ghcr.io/token?scope=x", ""],
    ["PUT https://npm.pkg.github.com/@acme%2fweb", "org"],
  ];
  for (const [line, unnamed, labels] of rows) test(line, () => check(line, unnamed, labels));
});

describe("GraphQL: unnamed scopes of", () => {
  const web = { repo: "acme/web", org: "acme" };
  const rows: readonly Row[] = [
    ['mutation { createIssue(input: { repositoryId: "R_1" }) { issue { id } } }', "repo org"],
    ['mutation { deleteRef(input: { refId: "X" }) { clientMutationId } }', "repo org"],
    ["mutation { followUser(input: {}) { clientMutationId } }", ""],
    ["mutation { __typename }", ""],
    [
      'mutation { createCommitOnBranch(input: { branch: { repositoryNameWithOwner: "acme/web" } }) { ref { id } } }',
      "",
      web,
    ],
    // The id would count, too; and no other mutation looks at the name.
    [
      'mutation { createCommitOnBranch(input: { branch: { id: "X", repositoryNameWithOwner: "acme/web" } }) { ref { id } } }',
      "repo org",
    ],
    ['mutation { deleteRef(input: { branch: { repositoryNameWithOwner: "acme/web" } }) { a } }', "repo org"],
    ['subscription { issueUpdated(id: "X") { id } }', "repo org"],
    ["{ viewer { login organizations(first: 9) { nodes { login } } } }", ""],
    ["{ viewer { repositories(first: 9) { nodes { description } } } }", "repo org"],
    ["{ viewer { pullRequests(first: 9) { nodes { title } } } }", "repo org"],
    ["{ viewer { organizations(first: 9) { nodes { members { totalCount } } } } }", "org"],
    ["{ rateLimit { remaining } }", ""],
    ['{ node(id: "X") { id } }', "repo org"],
    ['{ search(query: "a", type: ISSUE) { issueCount } }', "repo org"],
    ["{ somethingNew { id } }", "repo org"],
    ['{ organization(login: "acme") { name } }', "", { org: "acme" }],
    ['{ organization(login: "acme") { repository(name: "web") { description } } }', "repo", { org: "acme" }],
    [
      '{ organization(login: "acme") { repositories { nodes { parent { description } } } } }',
      "repo org",
      { org: "acme" },
    ],
    ['{ repository(owner: "acme", name: "web") { issues { nodes { title author { login } } } } }', "", web],
    // gh's questions about a pull request's head and a fork's parent only ask which they are.
    [
      '{ repository(owner: "acme", name: "web") { parent { name owner { login } defaultBranchRef { name } } pullRequests { nodes { headRepository { id name } } } } }',
      "",
      web,
    ],
    ['{ repository(owner: "acme", name: "web") { parent { object { id } } } }', "repo org", web],
    [
      '{ repository(owner: "acme", name: "web") { parent { defaultBranchRef { target { oid } } } } }',
      "repo org",
      web,
    ],
    [
      '{ repository(owner: "acme", name: "web") { ...F } } fragment F on Repository { owner { ... on User { repositories { nodes { url isSecurityPolicyEnabled } } } } }',
      "repo org",
      web,
    ],
    [
      '{ repository(owner: "acme", name: "web") { issues { nodes { author { ... on User { issues { nodes { title } } } } } } } }',
      "repo org",
      web,
    ],
    ["query ($o: String!) { repository(owner: $o, name: $o) { id } }", "repo org"],
  ];
  for (const [query, unnamed, labels] of rows)
    test(query, () =>
      check("POST https://api.github.com/graphql", unnamed, labels, JSON.stringify({ query })),
    );

  test("a part each, where one document names several repositories", () => {
    const query = '{ a: repository(owner: "x", name: "y") { id } b: node(id: "Z") { id } }';
    const line = "POST https://api.github.com/graphql";
    const { parts } = githubClassifier.classify(requestOf(line, { body: JSON.stringify({ query }) }));
    expect(parts?.map((part) => [part.labels.repo, part.unnamedScopes])).toEqual([
      ["x/y", undefined],
      [undefined, ["repo", "org"]],
    ]);
  });
});
