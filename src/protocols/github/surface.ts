// Which of GitHub's front doors a request knocks at: REST, GraphQL, uploads, the web host with git
// and LFS, or a host of files. Knows hosts and prefixes, not operations. A host that is not
// GitHub's own counts as an Enterprise Server, where one name serves all of them (GHES 3,
// "subdomain isolation" or not).

/** A front door; `path` is raw, with the prefix of an Enterprise Server taken off. */
export interface Surface {
  readonly kind: "rest" | "graphql" | "web" | "files" | "registry";
  readonly path: string;
}

/** Serve repositories' content by GET: archives, raw files, release assets, avatars. */
const FILES =
  /^(?:codeload\.github\.com|(?:raw|objects|avatars\d*|camo|media|cloud|gist|user-images|private-user-images|release-assets|github-releases|opengraph|desktop)\.githubusercontent\.com|(?:codeload|raw|media|avatars|assets|render|viewscreen)\.[^/]+)$/;

/** Package registries, which follow HTTP's methods. */
const REGISTRY = /^(?:(?:npm|maven|nuget|rubygems|docker|containers)\.(?:pkg\.github\.com|[^/]+)|ghcr\.io)$/;

/** Hosts that are the API and nothing else. */
const API = /^(?:api|uploads)\.(?:github\.com|[a-z0-9-]+\.ghe\.com)$/;

/** Hosts of git and pages; a name such as `raw.ghe.com` is a tenant's, not one of files. */
const WEB = /^(?:(?:www\.|gist\.)?github\.com|[a-z0-9-]+\.ghe\.com)$/;

/** The front door of a host (lower case) and a raw path. */
export function surfaceOf(host: string, path: string): Surface {
  if (API.test(host)) {
    if (/^\/graphql\/?$/.test(path)) return { kind: "graphql", path };
    return restOf(path) ?? { kind: "rest", path };
  }
  const rest = restOf(path);
  if (rest !== undefined) return rest;
  if (WEB.test(host)) return { kind: "web", path };
  if (FILES.test(host)) return { kind: "files", path };
  return { kind: REGISTRY.test(host) ? "registry" : "web", path };
}

/** The paths below /api of an Enterprise Server. */
function restOf(path: string): Surface | undefined {
  if (/^\/api\/graphql\/?$/.test(path)) return { kind: "graphql", path };
  const below = /^\/api\/(?:v3|uploads)(?=\/|$)/.exec(path);
  if (below !== null) return { kind: "rest", path: path.slice(below[0].length) || "/" };
  // The management console of an Enterprise Server is at the root of the host.
  return /^\/manage\/v1(?:\/|$)/.test(path) ? { kind: "rest", path } : undefined;
}
