// GitHub over HTTP: REST, uploads, git, LFS and hosts of files. Tiers go by rules over the
// published operations, so the laws at the end hold for all of them; the tables are the cases that
// a rule was written for.

import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { githubClassifier } from "../../../src/protocols/github/classify.ts";
import { findOperations, githubTable, type PublishedVerb } from "../../../src/protocols/github/operations.ts";
import { githubTier } from "../../../src/protocols/github/tier.ts";
import { type Extras, requestOf } from "../request-of.ts";

type Row = readonly [
  line: string,
  tier: TierOrUnknown,
  command: string,
  labels?: Readonly<Record<string, string>>,
];

const WEB = { repo: "acme/web", org: "acme" };
const ACME = { org: "acme" };

/** A line with a path is for api.github.com. */
function classify(line: string, extras?: Extras) {
  const [method, url = ""] = line.split(/ (.*)/s);
  return githubClassifier.classify(
    requestOf(`${method} ${url.startsWith("/") ? `https://api.github.com${url}` : url}`, extras),
  );
}

function check(rows: readonly Row[], extras?: Extras): void {
  for (const [line, tier, command, labels = {}] of rows) {
    const answer = classify(line, extras);
    expect([line, answer.tier, answer.command, answer.labels]).toEqual([line, tier, command, labels]);
  }
}

describe("REST", () => {
  test("reads observe, writes modify, deletions are sensitive", () => {
    check([
      ["GET /repos/acme/web", "observe", "repos/get", WEB],
      ["HEAD /repos/acme/web", "observe", "repos/get", WEB],
      ["OPTIONS /repos/acme/web", "observe", "options"],
      ["GET /", "observe", "meta/root"],
      ["GET /user", "observe", "users/get-authenticated"],
      ["GET /orgs/acme/members", "observe", "orgs/list-members", ACME],
      ["POST /repos/acme/web/issues", "modify", "issues/create", WEB],
      ["PUT /repos/acme/web/pulls/1/merge", "modify", "pulls/merge", WEB],
      ["PATCH /repos/acme/web/issues/1", "modify", "issues/update", WEB],
      ["DELETE /repos/acme/web", "sensitive", "repos/delete", WEB],
      ["DELETE /repos/acme/web/issues/1/labels/bug", "sensitive", "issues/remove-label", WEB],
      ["POST /orgs/acme/attestations/delete-request", "sensitive", "orgs/delete-attestations-bulk", ACME],
      ["POST /markdown", "observe", "markdown/render"],
    ]);
  });

  test("access, keys and tokens are break-glass", () => {
    check([
      ["PUT /repos/acme/web/collaborators/bob", "break-glass", "repos/add-collaborator", WEB],
      ["PUT /orgs/acme/memberships/bob", "break-glass", "orgs/set-membership-for-user", ACME],
      [
        "PUT /orgs/acme/teams/t/repos/acme/web",
        "break-glass",
        "teams/add-or-update-repo-permissions-in-org",
        WEB,
      ],
      ["POST /orgs/acme/invitations", "break-glass", "orgs/create-invitation", ACME],
      ["POST /repos/acme/web/keys", "break-glass", "repos/create-deploy-key", WEB],
      ["POST /user/keys", "break-glass", "users/create-public-ssh-key-for-authenticated-user"],
      ["POST /user/gpg_keys", "break-glass", "users/create-gpg-key-for-authenticated-user"],
      ["POST /app/installations/1/access_tokens", "break-glass", "apps/create-installation-access-token"],
      ["POST /app-manifests/x/conversions", "break-glass", "apps/create-from-manifest"],
      [
        "POST /repos/acme/web/actions/runners/registration-token",
        "break-glass",
        "actions/create-registration-token-for-repo",
        WEB,
      ],
      [
        "POST https://ghe.example/api/v3/admin/users/bob/authorizations",
        "break-glass",
        "enterprise-admin/create-impersonation-o-auth-token",
      ],
    ]);
  });

  test("secrets are sensitive, and so are alerts that carry them", () => {
    check([
      ["PUT /repos/acme/web/actions/secrets/X", "sensitive", "actions/create-or-update-repo-secret", WEB],
      ["GET /repos/acme/web/actions/secrets/X", "observe", "actions/get-repo-secret", WEB],
      [
        "GET /repos/acme/web/secret-scanning/alerts",
        "sensitive",
        "secret-scanning/list-alerts-for-repo",
        WEB,
      ],
      [
        // An Enterprise Server before 3.15 does not know the field and shows the secret.
        "GET /repos/acme/web/secret-scanning/alerts?hide_secret=true",
        "sensitive",
        "secret-scanning/list-alerts-for-repo",
        WEB,
      ],
      [
        "GET /repos/acme/web/secret-scanning/alerts?hide_secret=true&hide_secret=false",
        "sensitive",
        "secret-scanning/list-alerts-for-repo",
        WEB,
      ],
      [
        "GET /repos/acme/web/secret-scanning/alerts/1/locations",
        "observe",
        "secret-scanning/list-locations-for-alert",
        WEB,
      ],
    ]);
  });

  test("settings are judged by what they set", () => {
    const table: readonly (readonly [line: string, body: string, tier: TierOrUnknown])[] = [
      // A member in the query, where there is no body or another one.
      ["PATCH /repos/acme/web?visibility=public", "", "sensitive"],
      ["PATCH /repos/acme/web?security_and_analysis%5Bsecret_scanning%5D=x", '{"name":"x"}', "sensitive"],
      ["PATCH /repos/acme/web?a=b", '{"name":"x"}', "modify"],
      ["PATCH /repos/acme/web?a;b", '{"name":"x"}', "unknown"],
      ["PATCH /repos/acme/web", `{"description":"x"}`, "modify"],
      ["PATCH /repos/acme/web", `{"Visibility":"public"}`, "sensitive"],
      ["PATCH /repos/acme/web", `{"private":false}`, "sensitive"],
      ["POST /repos/acme/web", `{"private":false}`, "sensitive"],
      ["PATCH /repos/acme/web", `{"name":"x","name":"y"}`, "unknown"],
      ["PATCH /repos/acme/web", `private=false`, "unknown"],
      ["PATCH /orgs/acme", `{"email":"x"}`, "modify"],
      ["PATCH /orgs/acme", `{"default_repository_permission":"admin"}`, "sensitive"],
    ];
    for (const [line, body, tier] of table)
      expect([line, body, classify(line, { body }).tier]).toEqual([line, body, tier]);
    expect(classify("PATCH /repos/acme/web", { unread: true }).tier).toBe("unknown");
    expect(classify("PATCH /repos/acme/web/issues/1", { unread: true }).tier).toBe("modify");
  });

  test("names keep what is encoded in them, and refs and paths may hold slashes", () => {
    check([
      [
        "GET /repos/acme/web/branches/release%2F2.0/protection",
        "observe",
        "repos/get-branch-protection",
        WEB,
      ],
      ["GET /repos/acme/web/branches/release/2.0/protection", "observe", "repos/get-branch-protection", WEB],
      ["DELETE /repos/acme/web/branches/a/b/protection", "sensitive", "repos/delete-branch-protection", WEB],
      ["GET /repos/acme/web/contents/src/a/b.ts", "observe", "repos/get-content", WEB],
      // The last part of a read may be left out, of a write not.
      ["GET /repos/acme/web/contents", "observe", "repos/get-content", WEB],
      ["GET /repos/acme/web/contents/", "observe", "repos/get-content", WEB],
      ["GET /repos/acme/web/tarball", "observe", "repos/download-tarball-archive", WEB],
      ["GET /repos/acme/web/zipball", "observe", "repos/download-zipball-archive", WEB],
      ["DELETE /repos/acme/web/contents", "unknown", "", WEB],
      ["PUT /repos/acme/web/contents/src/a%20b.ts", "modify", "repos/create-or-update-file-contents", WEB],
      ["DELETE /repos/acme/web/git/refs/heads/a/b", "sensitive", "git/delete-ref", WEB],
      ["GET /repos/acme/web/compare/main...feature/x", "observe", "repos/compare-commits-with-basehead", WEB],
      ["GET /repos/acme/web/git/matching-refs/heads%2Fmain", "observe", "git/list-matching-refs", WEB],
      ["GET /%72epos/acme/web", "observe", "repos/get", WEB],
      ["GET /repos/acme/web/", "observe", "repos/get", WEB],
      ["POST /repos/acme/web.git/issues", "modify", "issues/create", WEB],
    ]);
  });

  test("links that GitHub makes by number are followed, without a label", () => {
    check([
      ["GET /repositories/1300192/issues?page=2", "observe", "issues/list-for-repo"],
      ["DELETE /repositories/1300192", "sensitive", "repos/delete"],
      ["GET /organizations/9919/repos?page=2", "observe", "repos/list-for-org"],
      ["GET /organizations/9919/team/1/members", "observe", "teams/list-members-legacy"],
      ["GET /user/583231/repos?page=2", "observe", "repos/list-for-user"],
      [
        "GET /organizations/acme/actions/cache/retention-limit",
        "observe",
        "actions/get-actions-cache-retention-limit-for-organization",
        ACME,
      ],
    ]);
  });

  test("what nobody published is unknown, with the scope that its path has", () => {
    check([
      ["GET /repos/acme/web/frob", "unknown", "", WEB],
      ["GET /orgs/acme/frob", "unknown", "", ACME],
      ["GET /frob", "unknown", ""],
      ["GET /Repos/acme/web", "unknown", ""],
      ["FROB /repos/acme/web", "unknown", "", WEB],
      ["get /repos/acme/web", "unknown", "", WEB],
      ["DELETE /repos/acme/web/commits", "unknown", "", WEB],
      ["GET /repos//acme/web", "unknown", ""],
      ["GET /repos/acme/web/../prod", "unknown", ""],
      ["GET /repos/acme/web/contents/%2e%2e/x", "unknown", ""],
      ["GET /repos/acme/web/%zz", "unknown", ""],
      ["GET /repos/acme%20corp/web", "unknown", "repos/get"],
      ["POST /repos/acme/web%2Fissues", "unknown", "repos/update", ACME],
    ]);
  });

  test("an ambiguous path is judged beside its worst reading", () => {
    const answer = classify("POST /repos/acme/web/../../../user/keys");
    expect(answer.tier).toBe("unknown");
    expect(answer.parts?.map(({ tier }) => tier)).toContain("break-glass");
  });

  test("the stricter of two methods counts, and an upgrade is doubted", () => {
    expect(classify("GET /repos/acme/web", { headers: [["X-HTTP-Method-Override", "DELETE"]] }).tier).toBe(
      "sensitive",
    );
    expect(classify("GET /repos/acme/web?_method=delete").tier).toBe("sensitive");
    expect(classify("DELETE /repos/acme/web", { headers: [["X-HTTP-Method-Override", "GET"]] }).tier).toBe(
      "sensitive",
    );
    expect(classify("GET /repos/acme/web", { headers: [["Upgrade", "websocket"]] }).tier).toBe("unknown");
  });
});

test("a form may ask for another method, and the stricter counts", () => {
  const line = "POST /repos/acme/web/git/refs/heads/main";
  const form: Extras = { headers: [["Content-Type", "application/x-www-form-urlencoded"]] };
  const parts = '--b\r\nContent-Disposition: form-data; name="_method"\r\n\r\ndelete\r\n--b--';
  const table: readonly (readonly [extras: Extras, tier: TierOrUnknown])[] = [
    [{ body: '{"sha":"x"}', headers: [["Content-Type", "application/json"]] }, "modify"],
    [{ body: "_method=delete", headers: [["Content-Type", "application/json"]] }, "modify"],
    [{ ...form, body: '{"sha":"x"}' }, "modify"],
    [{ ...form, body: "_method=delete" }, "sensitive"],
    [{ ...form, body: "a=b&%5Fmethod=Delete" }, "sensitive"],
    [{ body: "_method=delete" }, "sensitive"],
    [{ body: parts, headers: [["Content-Type", "multipart/form-data; boundary=b"]] }, "unknown"],
    [{ ...form, unread: true }, "unknown"],
  ];
  for (const [extras, tier] of table) expect([extras, classify(line, extras).tier]).toEqual([extras, tier]);
  expect(
    githubClassifier.needsBody(requestOf("POST https://uploads.github.com/repos/a/b/releases/1/assets")),
  ).toBe(false);
});

describe("every front door", () => {
  test("Enterprise Server, Enterprise Cloud with data residency, uploads", () => {
    check([
      ["GET https://ghe.example/api/v3/repos/acme/web", "observe", "repos/get", WEB],
      ["DELETE https://ghe.example:8443/api/v3/repos/acme/web", "sensitive", "repos/delete", WEB],
      [
        "POST https://ghe.example/api/uploads/repos/acme/web/releases/1/assets?name=x",
        "modify",
        "repos/upload-release-asset",
        WEB,
      ],
      [
        "POST https://uploads.github.com/repos/acme/web/releases/1/assets?name=x",
        "modify",
        "repos/upload-release-asset",
        WEB,
      ],
      ["GET https://api.acme.ghe.com/repos/acme/web", "observe", "repos/get", WEB],
      ["GET https://ghe.example/api/v3", "observe", "meta/root"],
      [
        "PUT https://containers.example/api/v3/repos/acme/web/collaborators/bob",
        "break-glass",
        "repos/add-collaborator",
        WEB,
      ],
      [
        "GET https://ghe.example/manage/v1/config/settings",
        "sensitive",
        "enterprise-admin/get-manage-settings",
      ],
    ]);
  });

  test("git: discovery and fetching observe, a push modifies", () => {
    check([
      [
        "GET https://github.com/acme/web.git/info/refs?service=git-upload-pack",
        "observe",
        "git info/refs",
        WEB,
      ],
      [
        "GET https://github.com/acme/web.git/info/refs?service=git-receive-pack",
        "observe",
        "git info/refs",
        WEB,
      ],
      ["GET https://github.com/acme/web/info/refs", "observe", "git info/refs", WEB],
      ["GET https://github.com/acme/web.git/info/refs?service=git-frob", "unknown", "", WEB],
      ["POST https://github.com/acme/web.git/git-upload-pack", "observe", "git fetch", WEB],
      ["POST https://github.com/acme/web.git/git-receive-pack", "modify", "git push", WEB],
      ["POST https://github.com/acme/web.wiki.git/git-receive-pack", "modify", "git push", WEB],
      ["POST https://gist.github.com/aa5a315d61ae9438b18d.git/git-receive-pack", "modify", "git push"],
      ["PUT https://github.com/acme/web.git/git-upload-pack", "unknown", "", WEB],
      ["GET https://github.com/acme/web.git/git-receive-pack", "unknown", "", WEB],
      ["POST https://github.com/acme/web.git/../prod.git/git-receive-pack", "unknown", ""],
    ]);
  });

  test("a push of nothing, with which git probes before a large one, observes", () => {
    const push = "POST https://github.com/acme/web.git/git-receive-pack";
    check([[push, "observe", "git probe", WEB]], { body: "0000" });
    for (const body of ["000", "00000", "0000PACK", "0001", ""])
      check([[push, "modify", "git push", WEB]], { body });
    check([[push, "modify", "git push", WEB]], { unread: true });
    check([["POST https://github.com/acme/web.git/git-upload-pack", "observe", "git fetch", WEB]], {
      body: "0000",
    });
  });

  test("LFS says in the body whether it is read or written", () => {
    const batch = "POST https://github.com/acme/web.git/info/lfs/objects/batch";
    check([[batch, "observe", "lfs download", WEB]], { body: `{"operation":"download","objects":[]}` });
    check([[batch, "modify", "lfs upload", WEB]], { body: `{"operation":"upload","objects":[]}` });
    check([[batch, "unknown", "lfs upload", WEB]], { body: `{"operation":"download","operation":"upload"}` });
    check([[batch, "unknown", "lfs upload", WEB]], { body: `{"operation":"download","Operation":"upload"}` });
    check([[batch, "unknown", "", WEB]], { unread: true });
    check([
      ["GET https://github.com/acme/web.git/info/lfs/locks", "observe", "lfs download", WEB],
      ["POST https://github.com/acme/web.git/info/lfs/locks/verify", "observe", "lfs locks", WEB],
      ["POST https://github.com/acme/web.git/info/lfs/locks", "modify", "lfs locks", WEB],
      ["POST https://github.com/acme/web.git/info/lfs/locks/1/unlock", "modify", "lfs locks", WEB],
      ["DELETE https://github.com/acme/web.git/info/lfs/objects/x", "unknown", "", WEB],
    ]);
  });

  test("pages and files are read, forms and account pages are unknown, a tool may log in", () => {
    check([
      ["GET https://github.com/acme/web/archive/refs/heads/main.zip", "observe", "page", WEB],
      ["GET https://github.com/acme/web/releases/download/v1/a.tgz", "observe", "page", WEB],
      ["POST https://github.com/acme/web/issues", "unknown", ""],
      ["GET https://github.com/settings/tokens", "unknown", ""],
      ["GET https://github.com/login/oauth/authorize?client_id=x", "unknown", ""],
      ["POST https://github.com/login/device/code", "observe", "login"],
      ["POST https://github.com/login/oauth/access_token", "observe", "login"],
      ["GET https://codeload.github.com/acme/web/zip/main", "observe", "download", WEB],
      ["GET https://raw.githubusercontent.com/acme/web/main/a", "observe", "download", WEB],
      ["POST https://codeload.github.com/acme/web/zip/main", "unknown", ""],
      ["GET https://ghcr.io/v2/acme/web/manifests/latest", "observe", "packages get", { org: "acme" }],
      ["PUT https://npm.pkg.github.com/@acme%2fweb", "modify", "packages put"],
      [
        "DELETE https://ghcr.io/v2/acme/web/manifests/latest",
        "sensitive",
        "packages delete",
        { org: "acme" },
      ],
    ]);
  });
});

describe("the body is wanted", () => {
  for (const [line, want] of [
    ["POST https://api.github.com/graphql", true],
    ["GET https://api.github.com/graphql", true],
    ["POST https://ghe.example/api/graphql", true],
    ["POST https://github.com/acme/web.git/info/lfs/objects/batch", true],
    ["PATCH https://api.github.com/repos/acme/web", true],
    ["POST https://api.github.com/repos/acme/web/issues", false],
    ["PUT https://api.github.com/repos/acme/web/contents/a", false],
    ["POST https://uploads.github.com/repos/acme/web/releases/1/assets", false],
    ["POST https://github.com/acme/web.git/git-receive-pack", false],
  ] as const)
    test(`${want ? "for" : "not for"} ${line}`, () =>
      expect(githubClassifier.needsBody(requestOf(line))).toBe(want));

  test("of a push only when it is as long as a probe", () => {
    const push = requestOf("POST https://github.com/acme/web.git/git-receive-pack");
    for (const [length, want] of [
      ["4", true],
      ["5", false],
      ["2500000", false],
    ] as const)
      expect(githubClassifier.needsBody({ ...push, headers: [["Content-Length", length]] })).toBe(want);
  });
});

describe("of all published operations", () => {
  const all = githubTable
    .rows()
    .filter(({ service }) => service !== "graphql")
    .flatMap(({ operation: id, routes }) =>
      routes.map(({ method, path }) => ({
        id,
        method: method as PublishedVerb,
        path: path
          .slice(1)
          .split("/")
          .map((segment) => (/^[{*]/.test(segment) ? "x" : segment)),
      })),
    );

  test("each is found at its own path", () => {
    expect(all.length).toBeGreaterThan(1500);
    const missed = all.filter(
      ({ path, method, id }) => !findOperations(path, method).operations.some((found) => found.id === id),
    );
    expect(missed).toEqual([]);
  });

  test("every deletion is sensitive, and no write is a mere read but the few that are named", () => {
    const reads = all.filter(
      ({ method, id }) => method !== "GET" && githubTier(method, id).tier === "observe",
    );
    expect(reads.map(({ id }) => id).sort()).toEqual([
      "markdown/render",
      "markdown/render-raw",
      "orgs/list-attestations-bulk",
      "users/list-attestations-bulk",
    ]);
    for (const { method, id } of all)
      if (method === "DELETE") expect([id, githubTier(method, id).tier]).toEqual([id, "sensitive"]);
  });

  test("every write of a key, a token, a member or a collaborator is above modify", () => {
    const low = all.filter(
      ({ method, id }) =>
        method !== "GET" &&
        /(?:^|[/-])(?:key|token|secret|membership|collaborator|role|invitation|member)s?(?:$|-)/.test(id) &&
        ["observe", "modify"].includes(githubTier(method, id).tier),
    );
    expect(low.map(({ id }) => id)).toEqual([]);
  });
});
