// Which repository and organisation a root field of GitHub's GraphQL acts in, and whether it says
// so. Mutations name nearly everything by opaque ids. A query that begins in a named repository may
// walk out of it (to a fork's parent, through an owner to all that is theirs): it does not name the
// repositories that it then reads. Knows no tiers.

import type { GraphqlField, GraphqlOperation } from "../graphql/document.ts";
import { type Labels, labelsOf, labelsOfText } from "./labels.ts";

/** Labels of a root field, and the labels of further scopes that it acts in without naming them. */
export interface GraphqlScopes {
  readonly labels: Labels;
  readonly unnamed: readonly string[];
}

/** Mutations of nothing but the caller's own account. */
const PERSONAL =
  /^(?:__typename|(?:un)?followUser|changeUserStatus|setUserInteractionLimit|(?:create|update|delete)UserList)$/;

/** Root fields of queries that are in no repository or organisation until one is walked into. */
const OUTSIDE: ReadonlySet<string> = new Set([
  ...["__schema", "__type", "__typename", "codeOfConduct", "codesOfConduct", "license", "licenses", "meta"],
  ...[
    "marketplaceCategories",
    "marketplaceCategory",
    "marketplaceListing",
    "marketplaceListings",
    "rateLimit",
  ],
  ...["securityAdvisories", "securityAdvisory", "securityVulnerabilities", "sponsorables", "topic", "user"],
  ...["users", "viewer", "enterprise"],
]);

/** Fields below the root that lead into a repository, or to something in another one. */
const INTO_REPOSITORIES: ReadonlySet<string> = new Set([
  ...["repository", "repositories", "repositoriesContributedTo", "topRepositories", "starredRepositories"],
  ...["parent", "source", "forks", "templateRepository", "headRepository", "baseRepository", "watching"],
  ...["commitRepository", "fromRepository", "featureable", "subscribable", "items", "content", "relay"],
  ...[
    "pinnedItems",
    "pinnableItems",
    "itemShowcase",
    "contributionsCollection",
    "node",
    "search",
    "resource",
  ],
  ...["issueComments", "commitComments", "repositoryDiscussions", "repositoryDiscussionComments"],
  ...["closingIssuesReferences", "closedByPullRequestsReferences", "canonical", "subject", "duplicateOf"],
  ...["trackedIssues", "trackedInIssues", "subIssues", "blockedBy", "blocking", "repositoryMigrations"],
]);

/** In the repository of the root field when they stand right below it, anybody's when they stand deeper. */
const ISSUES: readonly string[] = ["issues", "pullRequests", "discussions"];

/** Says no more of a thing than which one it is. */
const IDENTITY: ReadonlySet<string> = new Set([
  ...["__typename", "id", "databaseId", "name", "nameWithOwner", "owner", "login", "number", "url", "slug"],
  ...["isPrivate", "isFork", "isArchived", "isTemplate", "isEmpty", "visibility", "viewerPermission"],
  ...["hasIssuesEnabled", "hasWikiEnabled", "hasProjectsEnabled", "hasDiscussionsEnabled", "totalCount"],
  ...["mergeCommitAllowed", "rebaseMergeAllowed", "squashMergeAllowed", "defaultBranchRef"],
]);

/** Fields between a list and the things in it. */
const LIST: ReadonlySet<string> = new Set([
  ...["nodes", "edges", "node", "pageInfo", "hasNextPage", "hasPreviousPage", "startCursor", "endCursor"],
]);

/** Fields of an organisation or a team whose value is still the organisation's. */
const OWN: ReadonlySet<string> = new Set(["repository", "repositories"]);

const ELSEWHERE: ReadonlySet<string> = INTO_REPOSITORIES.difference(OWN);

const ORGANIZATIONS: ReadonlySet<string> = new Set(["organization", "organizations"]);

const BOTH = ["repo", "org"];

/** The scopes of a root field of a mutation. */
export function scopesOfMutation({ name, arguments: given }: GraphqlField): GraphqlScopes {
  if (PERSONAL.test(name)) return { labels: {}, unnamed: [] };
  const branch = name === "createCommitOnBranch" ? memberOf(given.get("input"), "branch") : undefined;
  // Only a commit may name its repository, and an id beside the name would count as well.
  const text =
    textOf(memberOf(branch, "id")) === undefined ? memberOf(branch, "repositoryNameWithOwner") : undefined;
  const labels = labelsOfText(textOf(text) ?? "");
  return { labels, unnamed: labels.repo === undefined ? BOTH : [] };
}

/** Where a query or subscription goes from its root fields; of all of them together, as fragments may be shared. */
export interface QueryReach {
  /** Into repositories that no root field names. */
  readonly repositories: boolean;
  /** Into repositories that are not even those of an organisation which a root field names. */
  readonly elsewhere: boolean;
  readonly organizations: boolean;
}

/** Reads how far an operation goes. */
export function reachOf(operation: GraphqlOperation): QueryReach {
  const deep = operation.below((name, isRoot) => !isRoot || name !== "repository");
  const issues = ISSUES.some((name) => deep.has(name));
  const elsewhere = issues || goesInto(operation, ELSEWHERE);
  return {
    repositories: elsewhere || goesInto(operation, OWN),
    elsewhere,
    organizations: goesInto(operation, ORGANIZATIONS),
  };
}

/** The scopes of a root field of a query or subscription. */
export function scopesOfQuery(field: GraphqlField, reach: QueryReach): GraphqlScopes {
  const labels = labelsOfQuery(field);
  const isPlaced = labels.org !== undefined || OUTSIDE.has(field.name);
  if (isPlaced && !reach.repositories)
    return { labels, unnamed: labels.org === undefined && reach.organizations ? ["org"] : [] };
  const staysInOrg = labels.org !== undefined && labels.repo === undefined && !reach.elsewhere;
  return { labels, unnamed: staysInOrg ? ["repo"] : BOTH };
}

/** Whether more is read of what these fields lead to than which one it is. */
function goesInto(operation: GraphqlOperation, fields: ReadonlySet<string>): boolean {
  if (fields.isDisjointFrom(operation.reached)) return false;
  const found = operation.below((name, isRoot) => !isRoot && fields.has(name));
  const hasList = !found.isDisjointFrom(LIST);
  const hasBranch = found.has("defaultBranchRef");
  if (!hasList && !hasBranch) return !found.isSubsetOf(IDENTITY);
  const deeper = operation.below(
    (name, isRoot) => !isRoot && ((hasList && LIST.has(name)) || (hasBranch && name === "defaultBranchRef")),
  );
  return !found.union(deeper).difference(LIST).isSubsetOf(IDENTITY);
}

function labelsOfQuery(field: GraphqlField): Labels {
  const text = (name: string): string | undefined => textOf(field.arguments.get(name));
  switch (field.name) {
    case "repository":
      return labelsOf({ owner: text("owner"), repo: text("name") });
    case "organization":
    case "repositoryOwner":
      return labelsOf({ org: text("login") });
    case "enterprise":
      return labelsOf({ enterprise: text("slug") });
    case "resource":
      return labelsOfText(text("url") ?? "");
    default:
      return {};
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
