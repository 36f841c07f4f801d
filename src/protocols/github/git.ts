// github.com and its like beside the API: git's smart HTTP, LFS, the login of command-line tools,
// and pages that are only read. Git over HTTP is two steps, discovery and transfer: discovery reads
// whichever service it is for, so that a push is asked about once. The content of a pushed pack is
// not looked at.

import type { Classification } from "../../model/classification.ts";
import { type HttpRequest, headerValue, type RequestBody, type RequestHead } from "../../model/request.ts";
import type { Tier } from "../../model/tier.ts";
import { parseStrictJson } from "../../wire/jsonrpc/strict-json.ts";
import { parseQuery, readPathSplitFirst } from "../../wire/path.ts";
import { lenientReadings } from "../lenient-path.ts";
import { strictestOf } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { withUnnamed } from "../unnamed-scopes.ts";
import { type Labels, labelsOf } from "./labels.ts";

/** Classifies a request to the web host; `path` is raw. */
export function classifyWeb(
  request: HttpRequest,
  path: string,
  query: string | undefined,
  method: string,
): Classification {
  const reading = readPathSplitFirst(path);
  if (reading.kind === "ok") return classifySegments(request, reading.segments, query, method);
  const guesses = lenientReadings(path)
    .map((segments) => classifySegments(request, segments, undefined, method))
    .filter((guess) => guess.tier !== "observe" && guess.tier !== "unknown");
  return strictestOf(unknownClassification("github", reading.reason), ...guesses);
}

/**
 * Whether the body decides: that of an LFS batch does, which says whether it is for download or upload, and that of
 * a push as long as a probe.
 */
export function webNeedsBody(head: RequestHead, path: string): boolean {
  const reading = readPathSplitFirst(path);
  const segments = reading.kind === "ok" ? [reading.segments] : lenientReadings(path);
  const mayBeProbe = headerValue(head.headers, "content-length") === String(FLUSH.length);
  return segments.some(
    (one) =>
      one.slice(-4).join("/") === LFS_BATCH || (mayBeProbe && one[one.length - 1] === "git-receive-pack"),
  );
}

/** A flush packet, the only thing that git sends before a push that it cannot buffer, to be sure that it may. */
const FLUSH = "0000";

function isProbe(body: RequestBody): boolean {
  return body.kind === "whole" && new TextDecoder("latin1").decode(body.bytes.subarray(0, 5)) === FLUSH;
}

const LFS_BATCH = "info/lfs/objects/batch";

/** Reads of repository content from hosts that serve nothing else. */
export function classifyFiles(host: string, path: string, method: string): Classification {
  if (method !== "GET" && method !== "HEAD" && method !== "OPTIONS")
    return unknownClassification("github", `a host of files takes no ${method}`);
  const [owner, repo] = path.split("/").slice(host.startsWith("media.") ? 2 : 1);
  // Only archives and raw files say in the path whose they are. The links to all others are signed, and were given
  // out by a request that was judged.
  if (!/^(?:codeload|raw|media)\./.test(host)) return answer("download", "observe", "downloads a file", {});
  const labels = labelsOf({ owner, repo });
  const plain = answer("download", "observe", "downloads a file", labels);
  return withUnnamed(plain, labels.repo === undefined ? ["repo", "org"] : []);
}

const REGISTRY_TIERS: ReadonlyMap<string, Tier> = new Map([
  ["GET", "observe"],
  ["HEAD", "observe"],
  ["OPTIONS", "observe"],
  ["POST", "modify"],
  ["PUT", "modify"],
  ["PATCH", "modify"],
  ["DELETE", "sensitive"],
]);

/**
 * Package registries follow HTTP: reading pulls, writing publishes, DELETE deletes. Containers are below their
 * owner; each of the others has a way of its own to say whose a package is.
 */
export function classifyRegistry(path: string, method: string): Classification {
  const tier = REGISTRY_TIERS.get(method);
  if (tier === undefined) return unknownClassification("github", `a registry takes no ${method}`);
  const what = `packages ${method.toLowerCase()}`;
  const reason = `${method} at a package registry`;
  if (/^\/(?:v2\/?|token)$/.test(path)) return answer(what, tier, reason, {});
  const labels = labelsOf({ org: /^\/v2\/([^/]+)\//.exec(path)?.[1] });
  return withUnnamed(answer(what, tier, reason, labels), labels.org === undefined ? ["org"] : []);
}

function classifySegments(
  request: HttpRequest,
  segments: readonly string[],
  query: string | undefined,
  method: string,
): Classification {
  const names = segments.join("/");
  const isRead = method === "GET" || method === "HEAD";
  const git = /^(.+?)\/(info\/refs|git-(?:upload-pack|receive-pack|upload-archive))$/.exec(names);
  if (git !== null)
    return inRepository(git[1] ?? "", (labels) =>
      classifyGit(request.body, git[2] ?? "", labels, query, method),
    );
  const lfs = /^(.+?)\/info\/lfs\/(.+)$/.exec(names);
  if (lfs !== null)
    return inRepository(lfs[1] ?? "", (labels) =>
      classifyLfs(request.body, lfs[2] ?? "", labels, method, isRead),
    );
  if (/^login\/(?:device\/code|oauth\/access_token)$/.test(names))
    return method === "POST"
      ? answer("login", "observe", "a tool's own login, which a person confirms in the browser", {})
      : unknownClassification("github", `login takes no ${method}`);
  if (!isRead) return unknownClassification("github", `${method}: forms of the web site are not known`);
  if (/^(?:login|logout|session|sessions|settings|oauth|sudo|setup|stafftools)(?:\/|$)/.test(names))
    return unknownClassification("github", "a page of somebody's account");
  return answer("page", "observe", "reads a page or a file", labelsOfPath(names));
}

function classifyGit(
  body: RequestBody,
  service: string,
  labels: Labels,
  query: string | undefined,
  method: string,
): Classification {
  if (service === "info/refs") {
    const services = parseQuery(query)?.filter(([name]) => name === "service");
    const isKnown = services?.every(([, value]) => /^git-(?:upload|receive)-pack$/.test(value));
    return (method === "GET" || method === "HEAD") && isKnown === true
      ? answer("git info/refs", "observe", "lists the refs of a repository", labels)
      : unknownClassification("github", "git's discovery for an unknown service", { labels });
  }
  if (method !== "POST") return unknownClassification("github", `${service} takes no ${method}`, { labels });
  if (service === "git-receive-pack" && isProbe(body))
    return answer(
      "git probe",
      "observe",
      "a push of nothing, which asks whether one would be let in",
      labels,
    );
  return service === "git-receive-pack"
    ? answer("git push", "modify", "git-receive-pack takes a push", labels, [service])
    : answer("git fetch", "observe", `${service} sends what is asked for`, labels, [service]);
}

/** LFS: https://github.com/git-lfs/git-lfs/tree/main/docs/api */
function classifyLfs(
  body: RequestBody,
  rest: string,
  labels: Labels,
  method: string,
  isRead: boolean,
): Classification {
  if (rest === "objects/batch" && method === "POST") {
    if (body.kind === "unread")
      return unknownClassification("github", `the body says what is asked for, and ${body.why}`, { labels });
    const operation = body.kind === "whole" ? lfsOperation(body.bytes) : undefined;
    if (operation === "download") return answer("lfs download", "observe", "lists where objects are", labels);
    const upload = answer("lfs upload", "modify", "asks to upload objects", labels);
    return operation === "upload" ? upload : doubtful(upload, "an LFS batch for an unknown operation");
  }
  if (/^locks\/verify$/.test(rest) && method === "POST")
    return answer("lfs locks", "observe", "lists locks", labels);
  if (/^(?:locks(?:\/[^/]+\/unlock)?|(?:objects\/)?(?:[^/]+\/)?verify)$/.test(rest) && method === "POST")
    return answer("lfs locks", "modify", "locks, unlocks or confirms an upload", labels);
  if (isRead) return answer("lfs download", "observe", "reads from LFS", labels);
  return rest.startsWith("objects/") && method === "PUT"
    ? answer("lfs upload", "modify", "uploads an object", labels)
    : unknownClassification("github", `LFS takes no ${method} here`, { labels });
}

function lfsOperation(bytes: Uint8Array): unknown {
  try {
    const json = parseStrictJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (!("value" in json) || typeof json.value !== "object" || json.value === null) return undefined;
    const members = Object.entries(json.value).filter(([name]) => name.toLowerCase() === "operation");
    return members.length === 1 && members[0]?.[0] === "operation" ? members[0][1] : undefined;
  } catch {
    return undefined;
  }
}

/** An answer on a repository by its own path; a gist is in no organisation, and another thing is in an unknown one. */
function inRepository(names: string, classifyIn: (labels: Labels) => Classification): Classification {
  if (names.startsWith("gist/")) return classifyIn({});
  const labels = names.split("/").length === 2 ? labelsOfPath(names) : {};
  return withUnnamed(classifyIn(labels), labels.repo === undefined ? ["repo", "org"] : []);
}

/** The repository that a page is in. */
function labelsOfPath(names: string): Labels {
  const [owner, repo] = names.split("/");
  return labelsOf({ owner, repo });
}

function answer(
  command: string,
  tier: Tier,
  reason: string,
  labels: Labels,
  aliases: readonly string[] = [],
): Classification {
  return { protocol: "github", tier, command, aliases, labels, reason };
}
