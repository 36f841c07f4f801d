// GitHub's REST API: path and method to a published operation, its tier and labels. Path dialect:
// split on raw slashes, then decode; `%2F` belongs to a name. A path that nobody published is
// unknown, and so is one that a server which decodes first would take for a stricter operation.

import type { Classification } from "../../model/classification.ts";
import type { RequestBody } from "../../model/request.ts";
import { stricterTier } from "../../model/tier.ts";
import { readPathSplitFirst } from "../../wire/path.ts";
import { lenientReadings } from "../lenient-path.ts";
import { strictestOf } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { withUnnamed } from "../unnamed-scopes.ts";
import { hasStrangeName, type Labels, labelsOf } from "./labels.ts";
import { type FoundOperation, findOperations, type PathSearch, type PublishedVerb } from "./operations.ts";
import { dependsOnBody, ghCommandOfBody, tierWithBody } from "./rest-body.ts";
import { unnamedByRest } from "./rest-scopes.ts";
import { githubTier, type TierReason } from "./tier.ts";

const PUBLISHED: ReadonlyMap<string, PublishedVerb> = new Map([
  ["GET", "GET"],
  ["HEAD", "GET"],
  ["POST", "POST"],
  ["PUT", "PUT"],
  ["PATCH", "PATCH"],
  ["DELETE", "DELETE"],
]);

/** The parts of a REST request that matter besides its path; `query` is the text after the question mark. */
export interface RestCall {
  readonly method: string;
  readonly query: string | undefined;
  readonly body: RequestBody;
}

/** Classifies a REST request; `path` is raw. */
export function classifyGithubRest(path: string, call: RestCall): Classification {
  const reading = readPathSplitFirst(path);
  if (reading.kind === "ok") return classifySegments(reading.segments, call);
  const unknown = unknownClassification("github", reading.reason);
  // Some server may still serve it: a lenient server's readings of it are judged as well.
  const guesses = lenientReadings(path)
    .map((segments) => classifySegments(segments, { ...call, query: undefined, body: { kind: "none" } }))
    .filter((guess) => guess.tier !== "observe" && guess.tier !== "unknown");
  return strictestOf(unknown, ...guesses);
}

/** Whether the body decides; only on paths that can be read, since others are unknown anyway. */
export function githubRestNeedsBody(path: string, method: string): boolean {
  const published = PUBLISHED.get(method);
  const reading = readPathSplitFirst(path);
  if (published === undefined || published === "GET" || published === "DELETE" || reading.kind !== "ok")
    return false;
  return findAny(reading.segments, published).operations.some((found) => dependsOnBody(found.id));
}

/** Whether another method than POST is published at this path, which a form could ask for. */
export function hasOtherWrites(path: string): boolean {
  const reading = readPathSplitFirst(path);
  if (reading.kind !== "ok") return false;
  return (["PUT", "PATCH", "DELETE"] as const).some(
    (published) => find(reading.segments, published).operations.length > 0,
  );
}

function classifySegments(segments: readonly string[], call: RestCall): Classification {
  if (segments.length === 0) return classifyRoot(call.method);
  const plain = classifyNames(segments, call);
  if (!segments.some((segment) => segment.includes("/"))) return plain;
  // Where decoding first names a stricter operation or another repository, it is not known which is meant.
  const other = classifyNames(
    segments.flatMap((segment) => segment.split("/")).filter((segment) => segment !== ""),
    { ...call, body: { kind: "none" } },
  );
  if (other.tier === "unknown") return plain;
  const isStricter = stricterTier(plain.tier, other.tier) !== plain.tier;
  if (!isStricter && placeOf(other) === placeOf(plain)) return plain;
  return strictestOf(doubtful(plain, "an encoded slash gives the path two readings"), other);
}

function classifyRoot(method: string): Classification {
  if (method !== "GET" && method !== "HEAD" && method !== "OPTIONS")
    return unknownClassification("github", `the API's root takes no ${method}`);
  return answer("meta/root", { tier: "observe", reason: "meta/root reads" }, {});
}

function placeOf({ labels, unnamedScopes }: Classification): string {
  return `${labels.repo} ${labels.org} ${unnamedScopes}`;
}

function classifyNames(segments: readonly string[], call: RestCall): Classification {
  const { method } = call;
  if (method === "OPTIONS")
    return answer("options", { tier: "observe", reason: "OPTIONS asks what is allowed" }, {});
  if (segments[0] === "copilot_internal" && (method === "GET" || method === "HEAD"))
    return answer("copilot", { tier: "observe", reason: "Copilot's own login" }, {});
  const published = PUBLISHED.get(method);
  const search = published === undefined ? undefined : findAny(segments, published);
  const found = search?.operations[0];
  if (published === undefined || search === undefined || found === undefined) {
    const where = search?.isPathKnown === true ? `the path takes no ${method}` : "no published operation";
    return unknownClassification("github", `${method}: ${where}`, { labels: labelsOfPrefix(segments) });
  }
  const [first, ...others] = search.operations.map((one) => {
    const plain = classifyFound(one, published, call);
    return withUnnamed(plain, unnamedByRest(one, published, segments, plain.labels));
  });
  if (first === undefined) return unknownClassification("github", "no published operation");
  // Several operations only when a branch or file name may hold the rest of the path; mostly they agree.
  const stricter = others.filter((one) => one.tier !== first.tier);
  return strictestOf(first, ...stricter);
}

function classifyFound(found: FoundOperation, published: PublishedVerb, call: RestCall): Classification {
  const labels = labelsOf(found);
  const tier = tierWithBody(found.id, githubTier(published, found.id), call);
  if ("problem" in tier)
    return doubtful(answer(found.id, { tier: "modify", reason: tier.problem }, labels), tier.problem);
  const sentBy = ghCommandOfBody(found.id, call);
  const plain = { ...answer(found.id, tier, labels), aliases: sentBy === undefined ? [] : [sentBy] };
  return hasStrangeName(found) ? doubtful(plain, "a name that GitHub gives nobody") : plain;
}

function answer(id: string, { tier, reason }: TierReason, labels: Labels): Classification {
  return { protocol: "github", tier, command: id, aliases: [], labels, reason };
}

function findAny(segments: readonly string[], published: PublishedVerb): PathSearch {
  const search = find(segments, published);
  if (search.operations.length > 0 || published !== "POST") return search;
  // GitHub takes a POST for a PATCH where nothing else takes the POST (its older documentation says so).
  const patch = find(segments, "PATCH");
  return patch.operations.length > 0 ? patch : search;
}

/** GitHub's own links (redirects of renamed repositories, pages of lists) name things by number. */
function find(segments: readonly string[], published: PublishedVerb): PathSearch {
  const direct = findOperations(segments, published);
  if (direct.operations.length > 0) return direct;
  const [first = "", id = "", ...rest] = segments;
  if (!/^\d+$/.test(id)) return direct;
  switch (first) {
    case "repositories":
      return unnamed(findOperations(["repos", id, id, ...rest], published));
    case "organizations":
      return unnamed(
        rest[0] === "team" && rest[1] !== undefined
          ? findOperations(["teams", ...rest.slice(1)], published)
          : findOperations(["orgs", id, ...rest], published),
      );
    case "user":
      return unnamed(findOperations(["users", id, ...rest], published));
    default:
      return direct;
  }
}

function unnamed(search: PathSearch): PathSearch {
  const operations = search.operations.map(
    ({ id }): FoundOperation => ({
      id,
      owner: undefined,
      repo: undefined,
      org: undefined,
      enterprise: undefined,
    }),
  );
  return { ...search, operations };
}

/** The scope of an operation that is not published, so that rules for a repository hold for it too. */
function labelsOfPrefix([first, second, third]: readonly string[]): Labels {
  if (first === "repos") return labelsOf({ owner: second, repo: third });
  return first === "orgs" ? labelsOf({ org: second }) : {};
}
