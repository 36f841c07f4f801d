// GitHub as gh and git see it: the REST and GraphQL answers that gh's commands in the tests ask
// for, in the shapes that api.github.com gives, and repositories served by git itself.

import { answerGit } from "./git-backend.ts";
import { bodyText, field, json, type StandInReply, type StandInRequest, type Vendor } from "./stand-in.ts";

/** The hosts that gh and git talk to. */
export const GITHUB_HOSTS = ["api.github.com", "github.com", "uploads.github.com"] as const;

/** The only token that is let in. */
export const GITHUB_TOKEN = "ghp_standin";

const REPOSITORY = {
  id: "R_1",
  name: "web",
  owner: { id: "O_1", login: "acme" },
  hasIssuesEnabled: true,
  hasWikiEnabled: true,
  description: "the shop",
  viewerPermission: "ADMIN",
  defaultBranchRef: { name: "main" },
  parent: null,
  mergeCommitAllowed: true,
  rebaseMergeAllowed: true,
  squashMergeAllowed: true,
};
const ISSUE = {
  number: 7,
  title: "checkout is slow",
  url: "https://github.com/acme/web/issues/7",
  state: "OPEN",
  stateReason: "",
  updatedAt: "2026-01-02T03:04:05Z",
  labels: { nodes: [], totalCount: 0 },
};

/** A GitHub whose git repositories lie below `root`, each at `<owner>/<name>.git`. */
export function github(root: string): Vendor {
  return async (request) => {
    if (request.host === "github.com")
      return isKnown(request)
        ? answerGit(root, request)
        : { status: 401, headers: { "WWW-Authenticate": 'Basic realm="GitHub"' } };
    if (!isKnown(request)) return json({ message: "Bad credentials" }, 401);
    return request.path === "/graphql" ? answerGraphql(request) : answerRest(request);
  };
}

function isKnown(request: StandInRequest): boolean {
  const [scheme, value = ""] = (field(request, "authorization") ?? "").split(" ");
  if (scheme === "Basic") return Buffer.from(value, "base64").toString().endsWith(`:${GITHUB_TOKEN}`);
  return value === GITHUB_TOKEN;
}

function answerRest({ method, path, host, body }: StandInRequest): StandInReply | undefined {
  const release = {
    id: 1,
    tag_name: "v1",
    url: "https://api.github.com/repos/acme/web/releases/1",
    html_url: "https://github.com/acme/web/releases/tag/v1",
  };
  switch (`${method} ${host}${path}`) {
    case "GET api.github.com/user":
      return json({ login: "operator", id: 1 });
    case "GET api.github.com/repos/acme/web/actions/secrets":
      return json({ total_count: 1, secrets: [{ name: "DEPLOY_KEY", updated_at: "2026-01-02T03:04:05Z" }] });
    case "POST api.github.com/repos/acme/web/releases":
      return json({ ...release, upload_url: `https://uploads.github.com${UPLOAD}{?name,label}` }, 201);
    case `POST uploads.github.com${UPLOAD}`:
      return json({ id: 2, name: "asset", state: "uploaded", size: body.length }, 201);
    case "GET api.github.com/repos/acme/web/releases/1":
    case "PATCH api.github.com/repos/acme/web/releases/1":
      return json(release);
    case "DELETE api.github.com/repos/acme/old":
      return { status: 204 };
    default:
      return undefined;
  }
}

const UPLOAD = "/repos/acme/web/releases/1/assets";

function answerGraphql(request: StandInRequest): StandInReply | undefined {
  const { query } = JSON.parse(bodyText(request)) as { query: string };
  if (query.includes("mutation IssueCreate"))
    return json({
      data: { createIssue: { issue: { id: "I_8", url: "https://github.com/acme/web/issues/8" } } },
    });
  if (query.includes("query IssueList")) {
    const issues = { totalCount: 1, nodes: [ISSUE], pageInfo: { hasNextPage: false, endCursor: null } };
    return json({ data: { repository: { hasIssuesEnabled: true, issues } } });
  }
  if (query.includes("query RepositoryInfo")) return json({ data: { repository: REPOSITORY } });
  if (query.includes("viewer")) return json({ data: { viewer: { login: "operator" } } });
  return undefined;
}
