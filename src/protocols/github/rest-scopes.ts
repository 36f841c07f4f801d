// Which repositories and organisations a REST operation of GitHub acts in without naming them:
// where it names them by number, lists across all of them, or changes something above them. Goes by
// the words of the path and of the operation's id, as the tiers do, so that an operation published
// tomorrow falls under it too. Knows no tiers.

import type { Labels } from "./labels.ts";
import type { FoundOperation, PublishedVerb } from "./operations.ts";

/** Words of a path below which things of any repository are. A name that is spelled like one only asks more. */
const OF_REPOSITORIES: ReadonlySet<string> = new Set([
  ...["repos", "repositories", "repository_invitations", "issues", "events", "received_events", "projects"],
  ...["notifications", "codespaces", "migrations", "live-migrations", "alerts", "subscriptions", "starred"],
  ...["rule-suites", "values", "security-advisories", "agents", "items", "artifacts", "reactions"],
  ...["installation", "installations", "usage-by-repository"],
]);

/** Searches for things outside of repositories. */
const SEARCHES_ELSEWHERE: ReadonlySet<string> = new Set(["topics", "users"]);

/** Words of a path below which things of any organisation are. */
const OF_ORGANIZATIONS: ReadonlySet<string> = new Set(["orgs", "organizations", "teams", "installations"]);

/** First segments above repositories: a change there is a change in everything below. */
const ABOVE: ReadonlySet<string> = new Set([
  ...["orgs", "organizations", "enterprises", "enterprise", "teams", "admin", "manage", "setup", "scim"],
]);

/** Changes above repositories that are about people, machines and bills only. */
const PEOPLE =
  /^packages\/|member|invit|block|billing|cost-center|budget|scim|provision|external|idp|announcement|copilot-s|hosted-runner|network-config|(?:create|delete|update)-(?:global-)?user|public-key/;

/** Operations that make, from the repository in their path, something that their body names. */
const ACROSS = /^repos\/(?:create-fork|create-using-template|transfer)$/;

/** The labels of scopes that an operation acts in and does not name; `segments` is its whole path. */
export function unnamedByRest(
  { id }: FoundOperation,
  published: PublishedVerb,
  segments: readonly string[],
  labels: Labels,
): readonly string[] {
  if (ACROSS.test(id)) return ["repo", "org"];
  if (labels.repo !== undefined) return [];
  const isRepo = actsInRepositories(id, published, segments);
  const isOrg = labels.org === undefined && (isRepo || actsInOrganizations(published, segments));
  return [...(isRepo ? ["repo"] : []), ...(isOrg ? ["org"] : [])];
}

function actsInRepositories(id: string, published: PublishedVerb, segments: readonly string[]): boolean {
  const [first = "", second = ""] = segments;
  if (first === "search") return !SEARCHES_ELSEWHERE.has(second);
  if (segments.some((segment) => OF_REPOSITORIES.has(segment))) return true;
  return published !== "GET" && ABOVE.has(first) && !PEOPLE.test(id);
}

function actsInOrganizations(published: PublishedVerb, segments: readonly string[]): boolean {
  if (segments.some((segment) => OF_ORGANIZATIONS.has(segment))) return true;
  return published !== "GET" && ABOVE.has(segments[0] ?? "");
}
