// GitHub, its Enterprise Server and the gh command line. Decides which front door a request goes to
// and puts the answers together; each door has its own file. Whatever cannot be read for certain is
// unknown.

import type { Classification } from "../../model/classification.ts";
import type { HttpRequest, RequestHead } from "../../model/request.ts";
import { splitTarget } from "../../wire/path.ts";
import type { Classifier } from "../classifier.ts";
import { graphqlNeedsBody } from "../graphql/request.ts";
import { effectiveMethods, formMethods, mayBeForm } from "../method-override.ts";
import { strictestOf } from "../strictest.ts";
import { doubtful } from "../unknown.ts";
import { asksForUpgrade } from "../upgrade.ts";
import { classifyGhArgv } from "./argv.ts";
import { classifyFiles, classifyRegistry, classifyWeb, webNeedsBody } from "./git.ts";
import { classifyGraphql } from "./graphql.ts";
import { githubOperations } from "./known-operations.ts";
import { githubLiveClient } from "./live-client.ts";
import { renderGithubError } from "./refusal.ts";
import { classifyGithubRest, githubRestNeedsBody, hasOtherWrites, type RestCall } from "./rest.ts";
import { dependsOnBody } from "./rest-body.ts";
import { surfaceOf } from "./surface.ts";
import { githubVocabulary } from "./vocabulary.ts";

const HOSTS: readonly RegExp[] = [
  /(?:^|\.)github\.com$/,
  /\.githubusercontent\.com$/,
  /^ghcr\.io$/,
  /(?:^|\.)ghe\.com$/,
];

/** The classifier of the policy's `github` block. */
export const githubClassifier: Classifier = {
  protocol: "github",
  covers: "GitHub API traffic (gh, git over HTTPS), REST and GraphQL.",
  scopes: [
    { keyword: "repos", label: "repo", form: { pattern: /^[^/]+\/[^/]+$/, what: "owner/name" } },
    { keyword: "orgs", label: "org" },
  ],
  programs: ["gh"],
  isOwnHost: (host) => HOSTS.some((pattern) => pattern.test(host)),
  liveClients: [githubLiveClient],
  needsBody,
  isJudgedByBody: dependsOnBody,
  classify,
  operations: githubOperations,
  vocabulary: githubVocabulary,
  classifyArgv: (argv) => classifyGhArgv(argv, classify),
  refusal: renderGithubError,
};

function needsBody(head: RequestHead): boolean {
  const surface = surfaceOf(head.host, splitTarget(head.target).path);
  if (surface.kind === "graphql") return graphqlNeedsBody(head);
  if (surface.kind === "web") return webNeedsBody(head, surface.path);
  if (surface.kind !== "rest") return false;
  return (
    (mayBeForm(head) && hasOtherWrites(surface.path)) ||
    effectiveMethods(head).some((one) => githubRestNeedsBody(surface.path, one))
  );
}

function classify(request: HttpRequest): Classification {
  const [sent, ...overrides] = effectiveMethods(request);
  const answer = strictestOf(
    classifyMethod(request, sent),
    ...overrides.map((method) => classifyMethod(request, method)),
  );
  return asksForUpgrade(request) ? doubtful(answer, "GitHub upgrades no connection") : answer;
}

function classifyMethod(request: HttpRequest, method: string): Classification {
  const { path, query } = splitTarget(request.target);
  const surface = surfaceOf(request.host, path);
  switch (surface.kind) {
    case "rest":
      return classifyRestOrForm(request, surface.path, { method, query, body: request.body });
    case "graphql":
      return classifyGraphql(request, method);
    case "web":
      return classifyWeb(request, surface.path, query, method);
    case "files":
      return classifyFiles(request.host, surface.path, method);
    case "registry":
      return classifyRegistry(surface.path, method);
  }
}

/** A REST request, judged together with the request that a form in its body would make of it. */
function classifyRestOrForm(request: HttpRequest, path: string, call: RestCall): Classification {
  const answer = classifyGithubRest(path, call);
  if (!mayBeForm(request) || !hasOtherWrites(path)) return answer;
  const methods = formMethods(request);
  if ("problem" in methods) return doubtful(answer, methods.problem);
  return strictestOf(answer, ...methods.map((method) => classifyGithubRest(path, { ...call, method })));
}
