// The labels of GitHub requests: repo as "owner/name", org, enterprise. Owns their spelling. The
// owner of a repository counts as its org, so that a scope list of organisations holds for their
// repositories.

/** Labels of a classification. */
export type Labels = Readonly<Record<string, string>>;

/** The names that a request gave; empty ones count as not given. */
export interface GivenNames {
  readonly owner?: string | undefined;
  readonly repo?: string | undefined;
  readonly org?: string | undefined;
  readonly enterprise?: string | undefined;
}

/** Labels for these names. A name with a slash, or only half of a repository's, gives none. */
export function labelsOf({ owner, repo, org, enterprise }: GivenNames): Labels {
  const labels: Record<string, string> = {};
  const name = bareRepo(repo);
  const ownerOrOrg = isName(org) ? org : owner;
  if (isName(owner) && isName(name)) labels.repo = `${owner}/${name}`;
  if (isName(ownerOrOrg)) labels.org = ownerOrOrg;
  if (isName(enterprise)) labels.enterprise = enterprise;
  return labels;
}

/**
 * Whether a given name is none that GitHub could have: its meaning is not known, and a scope that forbids
 * something must not be escaped by it. The placeholders of `gh api` stand for real names.
 */
export function hasStrangeName(names: GivenNames): boolean {
  return [names.owner, names.repo, names.org, names.enterprise].some(
    (name) => name !== undefined && !isName(name) && !/^(?:\{\w+\}|:\w+)$/.test(name),
  );
}

/** Labels of "owner/name", "host/owner/name" or a URL of a repository or of something in it; none for other text. */
export function labelsOfText(text: string): Labels {
  const url = /^(?:(?:https?|ssh|git):\/\/[^/]+\/|[^/@]+@[^/:]+:)(.*)$/.exec(text);
  const parts = (url?.[1] ?? text).split("/").filter((part) => part !== "");
  const [owner, repo] = url === null && parts.length === 3 ? parts.slice(1) : parts;
  return labelsOf({ owner, repo });
}

/** No repository's own name ends in .git; a wiki's repository belongs to the repository itself. */
function bareRepo(name: string | undefined): string | undefined {
  return name?.replace(/\.git$/i, "").replace(/\.wiki$/i, "");
}

function isName(name: string | undefined): name is string {
  return name !== undefined && /^[\w.-]+$/.test(name) && name !== "." && name !== "..";
}
