// Real gh and git, through the compiled gateway, to a stand-in for GitHub under its real names,
// over each version of HTTP. What is asserted is what the person sees, what waits, and what
// arrives.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Finished, findClient } from "../support/clients.ts";
import { GITHUB_HOSTS, GITHUB_TOKEN, github } from "../support/stand-ins/github.ts";
import { type Scene, startScene } from "../support/stand-ins/scene.ts";
import { bodyText } from "../support/stand-ins/stand-in.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

setDefaultTimeout(120_000);

const POLICY = `
github:
  inspect: ["github.com", "*.github.com"]
  default: escalate
  groups:
    read: { tiers: [observe] }
    write: { tiers: [modify, sensitive] }
    worst: { tiers: [break-glass] }
  repos:
    - names: [acme/frozen]
      rules:
        allow: { groups: [read] }
        deny: { groups: [write, worst] }
  rules:
    allow: { groups: [read] }
    escalate: { groups: [write] }
    deny: { groups: [worst] }
`;

const programs = { gh: findClient("gh"), git: findClient("git") };

for (const version of ["2", "1.1"] as const)
  describe(`GitHub over HTTP/${version}`, () => {
    let scene: Scene;
    let root: Awaited<ReturnType<typeof temporaryDirectory>>;

    beforeAll(async () => {
      root = await temporaryDirectory();
      const vendor = github(root.path);
      scene = await startScene({
        hosts: GITHUB_HOSTS,
        vendor,
        versions: version === "2" ? ["h2", "http/1.1"] : ["http/1.1"],
        policy: POLICY,
        settings: "approval_timeout: 25s\n",
      });
    });
    afterAll(async () => {
      await scene?.[Symbol.asyncDispose]();
      await root?.[Symbol.asyncDispose]();
    });

    const { gh, git } = programs;
    if (gh !== undefined)
      describe("gh", () => {
        const run = (...args: string[]): Promise<Finished> =>
          scene.run(gh, args, { env: { GH_TOKEN: GITHUB_TOKEN, GH_NO_UPDATE_NOTIFIER: "1", NO_COLOR: "1" } });

        test("reads by REST and GraphQL pass, and nobody is asked", async () => {
          expect(JSON.parse((await run("api", "user")).stdout)).toEqual({ login: "operator", id: 1 });
          expect(await run("issue", "list", "-R", "acme/web")).toMatchObject({
            code: 0,
            stdout: expect.stringContaining("checkout is slow"),
          });
          const viewer = await run(
            "api",
            "graphql",
            "-f",
            "query={viewer{login}}",
            "-q",
            ".data.viewer.login",
          );
          expect(viewer).toMatchObject({ code: 0, stdout: "operator\n" });
          expect(await run("secret", "list", "-R", "acme/web")).toMatchObject({
            code: 0,
            stdout: expect.stringContaining("DEPLOY_KEY"),
          });
          expect(new Set(scene.standIn.requests.map((one) => one.version))).toEqual(new Set([version]));
          const rows = await scene.gateway.rows();
          expect(rows.filter(({ op }) => op !== "control" && op !== "mitm")).toEqual([]);
        });

        test("issue create asks GraphQL twice: the query passes, the mutation waits and arrives once", async () => {
          const created = run("issue", "create", "-R", "acme/web", "--title", "t", "--body", "ö 🦆 \u202e");
          const approval = await scene.approve(created, ({ command }) => command === "mutation createIssue");
          expect(approval).toMatchObject({
            tier: "modify",
            method: "POST",
            path: "/graphql",
            rule: "github.repos[0].rules.deny.groups[0]",
            reason:
              "the mutation createIssue writes; tier modify (group 'write') is denied by an entry of repos, and the request does not name its repo, so a person decides",
          });
          expect(await created).toMatchObject({ code: 0, stdout: "https://github.com/acme/web/issues/8\n" });
          const mutations = scene
            .reached(/\/graphql$/)
            .filter((request) => bodyText(request).includes("IssueCreate"));
          expect(mutations.map((request) => JSON.parse(bodyText(request)).variables.input.body)).toEqual([
            "ö 🦆 \u202e",
          ]);
        });

        test("api --input arrives byte for byte, also when it is larger than what a classifier reads", async () => {
          const body = `{ "tag_name":"v1",  "body": "${randomBytes(800_000).toString("hex")}" }\r\n`;
          const input = await scene.file("release.json", body);
          const posted = run("api", "/repos/acme/web/releases", "--method", "POST", "--input", input);
          await scene.approve(posted, ({ command }) => command === "repos/create-release");
          expect((await posted).code).toBe(0);
          const arrived = scene.reached(/^POST .*\/releases$/).map((request) => bodyText(request) === body);
          expect(arrived).toEqual([true]);
        });

        test("release create uploads its asset as it is; each of its three writes is asked about once", async () => {
          const asset = randomBytes(1_500_000);
          const file = await scene.file("asset.bin", asset);
          const before = scene.standIn.requests.length;
          const created = run("release", "create", "v1", file, "-R", "acme/web", "--notes", "n");
          for (const command of [
            "repos/create-release",
            "repos/upload-release-asset",
            "repos/update-release",
          ])
            await scene.approve(created, (approval) => approval.command === command);
          expect(await created).toMatchObject({ code: 0 });
          const arrived = scene.standIn.requests.slice(before).filter(({ method }) => method !== "HEAD");
          expect(arrived.map(({ method, path }) => `${method} ${path}`)).toEqual([
            "POST /repos/acme/web/releases",
            "POST /repos/acme/web/releases/1/assets",
            "PATCH /repos/acme/web/releases/1",
          ]);
          expect(Buffer.from(arrived[1]?.body ?? []).equals(asset)).toBe(true);
        });

        test("a change is shown beside what is there now", async () => {
          const edited = run("api", "-X", "PATCH", "repos/acme/web/releases/1", "-f", "tag_name=v2");
          const { id } = await scene.held(edited);
          const shown = await scene.gateway.run(["approval", "show", id]);
          expect(shown.stdout).toContain(
            'effect\n  changes 1 field of /repos/acme/web/releases/1\n  ~ tag_name: "v1" -> "v2"\n',
          );
          await scene.gateway.run(["approval", "allow", id]);
          expect((await edited).code).toBe(0);
        });

        test("what a person denies, gh prints with the person's words and the rule", async () => {
          const deleted = run("repo", "delete", "acme/old", "--yes");
          const approval = await scene.deny(deleted, "not on a Friday", ({ method }) => method === "DELETE");
          expect(await deleted).toMatchObject({
            code: 1,
            stderr: `HTTP 403: iddio: a person denied 'repos/delete' (${approval.id}) (tier sensitive, rule github.rules.escalate.groups[0]): not on a Friday; do not retry, the answer will be the same (https://api.github.com/repos/acme/old)\n`,
          });
          expect(scene.reached(/^DELETE/).length).toBe(0);
        });

        const REFUSED: [string, string[], RegExp][] = [
          [
            "a deploy key by REST",
            ["api", "/repos/acme/web/keys", "-f", "title=t", "-f", "key=ssh-ed25519 AAAA"],
            /gh: iddio refused 'repos\/create-deploy-key' by policy \(tier break-glass, rule github\.rules\.deny\.groups\[0\]\)/,
          ],
          [
            "an issue in a repository that is frozen",
            ["api", "/repos/acme/frozen/issues", "-f", "title=t"],
            /gh: iddio refused 'issues\/create' by policy \(tier modify, rule github\.repos\[0\]\.rules\.deny\.groups\[0\]\)/,
          ],
          [
            "an administrator invited by GraphQL",
            [
              "api",
              "graphql",
              "-f",
              'query=mutation { inviteEnterpriseAdmin(input: {enterpriseId: "E_1"}) { clientMutationId } }',
            ],
            /gh: iddio refused 'mutation inviteEnterpriseAdmin' by policy \(tier break-glass, rule github\.rules\.deny\.groups\[0\]\)/,
          ],
        ];
        for (const [name, args, message] of REFUSED)
          test(`${name} is refused, in gh's own words with the rule, and nothing arrives`, async () => {
            const before = scene.standIn.requests.length;
            const { code, stderr } = await run(...args);
            expect(code).toBe(1);
            expect(stderr).toMatch(message);
            expect(scene.standIn.requests.length).toBe(before);
          });
      });

    if (git !== undefined)
      describe("git", () => {
        let clone: string;
        const run = (...args: string[]): Promise<Finished> =>
          scene.run(git, args, {
            env: {
              GIT_TERMINAL_PROMPT: "0",
              GIT_CONFIG_NOSYSTEM: "1",
              GIT_AUTHOR_NAME: "a",
              GIT_AUTHOR_EMAIL: "a@example.com",
              GIT_COMMITTER_NAME: "a",
              GIT_COMMITTER_EMAIL: "a@example.com",
            },
          });
        const succeed = async (...args: string[]): Promise<string> => {
          const { code, stdout, stderr } = await run(...args);
          if (code !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
          return stdout.trim();
        };
        const remote = (name: string) => `https://operator:${GITHUB_TOKEN}@github.com/acme/${name}.git`;
        const headOf = (name: string) =>
          succeed("-C", join(root.path, "acme", `${name}.git`), "rev-parse", "main");
        const commit = async (name: string, content: string | Uint8Array) => {
          await Bun.write(join(clone, name), content);
          await succeed("-C", clone, "add", name);
          await succeed("-C", clone, "commit", "-q", "-m", name);
          return succeed("-C", clone, "rev-parse", "HEAD");
        };

        beforeAll(async () => {
          await mkdir(join(root.path, "acme"));
          clone = join(scene.home, "web");
          for (const name of ["web", "frozen"])
            await succeed("init", "-q", "--bare", "-b", "main", join(root.path, "acme", `${name}.git`));
        });

        test("clone and fetch pass without a question; a push waits once and then moves the branch", async () => {
          await succeed("clone", "-q", remote("web"), clone);
          await succeed("-C", clone, "checkout", "-q", "-B", "main");
          const first = await commit("a.txt", "a\n");
          const pushed = run("-C", clone, "push", "origin", "main");
          const approval = await scene.approve(pushed, ({ command }) => command === "git push");
          expect(approval).toMatchObject({ tier: "modify", labels: { repo: "acme/web", org: "acme" } });
          expect((await pushed).code).toBe(0);
          expect(await headOf("web")).toBe(first);
          expect(await run("-C", clone, "fetch")).toMatchObject({ code: 0 });
          expect(scene.reached(/^POST .*git-receive-pack$/).length).toBe(1);
        });

        test("a push too large for one buffer, which git begins with a probe, is asked about once too", async () => {
          const large = await commit("large.bin", randomBytes(2_500_000));
          const pushed = run("-C", clone, "push", "origin", "main");
          await scene.approve(pushed, ({ command }) => command === "git push");
          expect(await pushed).toMatchObject({ code: 0 });
          expect(await headOf("web")).toBe(large);
          await succeed("-C", join(root.path, "acme", "web.git"), "fsck", "--full", "--strict");
        });

        test("a push that policy or a person refuses shows why in git's own remote lines", async () => {
          const before = await headOf("web");
          await commit("b.txt", "b\n");
          const frozen = await run("-C", clone, "push", remote("frozen"), "main");
          expect(frozen.code).not.toBe(0);
          expect(frozen.stderr).toContain(
            "remote: iddio refused 'git push' by policy (tier modify, rule github.repos[0].rules.deny.groups[0])",
          );
          const denied = run("-C", clone, "push", "origin", "main");
          await scene.deny(denied, "review it first", ({ command }) => command === "git push");
          expect((await denied).stderr).toMatch(
            /^remote: iddio: a person denied 'git push' .*: review it first;/m,
          );
          expect(await headOf("web")).toBe(before);
        });
      });
  });
