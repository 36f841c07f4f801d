// GitHub's GraphQL: root fields to tiers and labels. What runs at all is graphql.test.ts's.

import { describe, expect, test } from "bun:test";
import type { Classification } from "../../../src/model/classification.ts";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { githubClassifier } from "../../../src/protocols/github/classify.ts";
import { tierOfMutation } from "../../../src/protocols/github/graphql.ts";
import { githubTable } from "../../../src/protocols/github/operations.ts";
import { requestOf } from "../request-of.ts";

function classify(
  query: string,
  variables?: unknown,
  line = "POST https://api.github.com/graphql",
): Classification {
  return githubClassifier.classify(requestOf(line, { body: JSON.stringify({ query, variables }) }));
}

describe("a document is", () => {
  const table: readonly (readonly [query: string, tier: TierOrUnknown, command: string])[] = [
    ["{ viewer { login } }", "observe", "query viewer"],
    ["subscription { issueUpdated { id } }", "observe", "subscription issueUpdated"],
    ["{ __schema { types { name } } }", "observe", "query __schema"],
    ["query ($mutation: Boolean = false) { mutation: node { id } }", "observe", "query node"],
    ["mutation { __typename }", "observe", "mutation __typename"],
    ["mutation { addComment(input: {}) { clientMutationId } }", "modify", "mutation addComment"],
    [
      "mutation { query: mergePullRequest(input: {}) { clientMutationId } }",
      "modify",
      "mutation mergePullRequest",
    ],
    ["mutation { deleteIssue(input: {}) { clientMutationId } }", "sensitive", "mutation deleteIssue"],
    ["mutation { removeStar(input: {}) { clientMutationId } }", "sensitive", "mutation removeStar"],
    [
      "mutation { inviteEnterpriseAdmin(input: {}) { clientMutationId } }",
      "break-glass",
      "mutation inviteEnterpriseAdmin",
    ],
    [
      "mutation { updateProjectV2Collaborators(input: {}) { clientMutationId } }",
      "break-glass",
      "mutation updateProjectV2Collaborators",
    ],
    [
      "mutation { createIpAllowListEntry(input: {}) { clientMutationId } }",
      "break-glass",
      "mutation createIpAllowListEntry",
    ],
    [
      "mutation { regenerateVerifiableDomainToken(input: {}) { clientMutationId } }",
      "break-glass",
      "mutation regenerateVerifiableDomainToken",
    ],
    [
      "mutation { addStar(input: {}) { id } deleteProject(input: {}) { id } }",
      "sensitive",
      "mutation deleteProject",
    ],
    [
      "mutation { ...F } fragment F on Mutation { ... { x: deleteRef(input: {}) { id } } }",
      "sensitive",
      "mutation deleteRef",
    ],
    ["mutation { deleteRef(input: {}) @skip(if: true) { id } }", "sensitive", "mutation deleteRef"],
    ['{ repository(owner: "a", name: "b") { tempCloneToken } }', "sensitive", "query repository"],
    [
      '{ enterprise(slug: "e") { ownerInfo { samlIdentityProvider { ...F } } } } fragment F on X { recoveryCodes }',
      "sensitive",
      "query enterprise",
    ],
    ["mutation { frobTheRepository(input: {}) { id } }", "unknown", "mutation frobTheRepository"],
    ["mutation { addComment", "unknown", ""],
  ];
  for (const [query, tier, command] of table)
    test(`${tier}: ${query}`, () => {
      const answer = classify(query);
      expect([answer.tier, answer.command]).toEqual([tier, command]);
    });
});

describe("labels", () => {
  const WEB = { repo: "acme/web", org: "acme" };
  const table: readonly (readonly [
    query: string,
    variables: unknown,
    labels: Readonly<Record<string, string>>,
  ])[] = [
    ['{ repository(owner: "acme", name: "web") { id } }', undefined, WEB],
    [
      "query ($o: String!, $n: String!) { repository(owner: $o, name: $n) { id } }",
      { o: "acme", n: "web" },
      WEB,
    ],
    ['query ($o: String = "acme") { repository(owner: $o, name: "web") { id } }', {}, WEB],
    [
      "query ($o: String!) { repository(owner: $o, name: $n) { id } }",
      { o: "acme", n: "web" },
      { org: "acme" },
    ],
    ['{ organization(login: "acme") { id } }', undefined, { org: "acme" }],
    ['{ resource(url: "https://github.com/acme/web/pull/1") { __typename } }', undefined, WEB],
    ["{ viewer { login } }", undefined, {}],
    [
      "mutation ($i: X!) { createCommitOnBranch(input: $i) { id } }",
      { i: { branch: { repositoryNameWithOwner: "acme/web" } } },
      WEB,
    ],
    [
      "mutation ($i: X!) { createCommitOnBranch(input: $i) { id } }",
      { i: { branch: { id: "R_1", repositoryNameWithOwner: "acme/web" } } },
      {},
    ],
  ];
  for (const [query, variables, labels] of table)
    test(`${JSON.stringify(labels)} of ${query}`, () =>
      expect(classify(query, variables).labels).toEqual(labels));

  test("each repository that is named is a part of its own", () => {
    const answer = classify(
      '{ a: repository(owner: "acme", name: "web") { id } b: repository(owner: "acme", name: "prod") { id } }',
    );
    expect(answer.parts?.map(({ labels }) => labels.repo)).toEqual(["acme/web", "acme/prod"]);
  });
});

test("a batch is judged part by part, and its worst part counts", () => {
  const body = JSON.stringify([
    { query: "{ viewer { login } }" },
    { query: "mutation { deleteRef(input: {}) { id } }" },
  ]);
  const answer = githubClassifier.classify(requestOf("POST https://api.github.com/graphql", { body }));
  expect(answer.tier).toBe("sensitive");
  expect(answer.parts?.map(({ tier }) => tier)).toEqual(["observe", "sensitive"]);
});

test("an operation that may not run still counts where it cannot be told which does", () => {
  const answer = classify("query A { viewer { id } } mutation B { inviteEnterpriseAdmin(input: {}) { id } }");
  expect(answer.tier).toBe("unknown");
  expect(answer.parts?.map(({ tier }) => tier)).toEqual(["unknown", "break-glass"]);
});

describe("the endpoint", () => {
  for (const [line, tier] of [
    ["POST https://ghe.example/api/graphql", "sensitive"],
    ["POST https://api.github.com/graphql/", "sensitive"],
    ["POST https://api.acme.ghe.com/graphql", "sensitive"],
    ["PUT https://api.github.com/graphql", "unknown"],
    ["POST https://api.github.com//graphql", "unknown"],
    ["POST https://github.com/graphql", "unknown"],
  ] as const)
    test(`${tier}: ${line}`, () =>
      expect(classify("mutation { deleteRef(input: {}) { id } }", undefined, line).tier).toBe(tier));

  test("describes its schema to a GET, and wants a document of a POST", () => {
    expect(githubClassifier.classify(requestOf("GET https://api.github.com/graphql")).tier).toBe("observe");
    expect(githubClassifier.classify(requestOf("POST https://api.github.com/graphql")).tier).toBe("unknown");
  });
});

describe("of all published mutations", () => {
  const names = githubTable.rowsOf("graphql").map(({ operation }) => operation.replace(/^mutation /, ""));

  test("none is a read, and what deletes or takes away is at least sensitive", () => {
    expect(names.length).toBeGreaterThan(240);
    for (const name of names) {
      const { tier } = tierOfMutation(name);
      expect([name, tier]).not.toEqual([name, "observe"]);
      if (/^(?:delete|remove|revoke)/.test(name)) expect([name, tier]).toEqual([name, "sensitive"]);
    }
  });

  test("what gives access is break-glass", () => {
    const low = names.filter(
      (name) =>
        /^(?!delete|remove|cancel|revoke|createAttribution)\w*(?:Role|Admin|Collaborators?|IdentityProvider|IpAllowList|Invite|Invitation)/.test(
          name,
        ) && tierOfMutation(name).tier !== "break-glass",
    );
    expect(low).toEqual([]);
  });
});

test("updateRefs that moves a branch to nowhere deletes it", () => {
  const query = "mutation($i: UpdateRefsInput!) { updateRefs(input: $i) { clientMutationId } }";
  const rows = [
    [[{ name: "refs/heads/a", afterOid: "a".repeat(40) }], "modify"],
    [
      [
        { name: "refs/heads/a", afterOid: "a".repeat(40) },
        { name: "b", afterOid: "0".repeat(40) },
      ],
      "sensitive",
    ],
    [[{ name: "refs/heads/a" }], "sensitive"],
    [undefined, "sensitive"],
  ] as const;
  for (const [refUpdates, tier] of rows) {
    const body = JSON.stringify({ query, variables: { i: { repositoryId: "R", refUpdates } } });
    const headers = [["Content-Type", "application/json"]] as const;
    const answer = githubClassifier.classify(
      requestOf("POST https://api.github.com/graphql", { headers, body }),
    );
    expect([refUpdates, answer.tier]).toEqual([refUpdates, tier]);
  }
});
