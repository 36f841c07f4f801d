// gh's command lines to tiers, commands and labels; the commands and flags themselves come from
// gh's own help.

import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { githubClassifier } from "../../../src/protocols/github/classify.ts";
import { GH_COMMANDS } from "../../../src/protocols/github/data/gh-commands.ts";

/** Words are separated by spaces; quotes keep them together. */
function argvOf(line: string): readonly string[] {
  return [...line.matchAll(/(?:[^\s']|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ""));
}

type Row = readonly [
  line: string,
  tier: TierOrUnknown,
  command: string,
  labels?: Readonly<Record<string, string>>,
];
const WEB = { repo: "acme/web", org: "acme" };

function check(rows: readonly Row[]): void {
  for (const [line, tier, command, labels = {}] of rows) {
    const answer = githubClassifier.classifyArgv(argvOf(line));
    expect([line, answer.tier, answer.command, answer.labels]).toEqual([line, tier, command, labels]);
  }
}

describe("commands", () => {
  test("read, write, delete, and hand out access", () => {
    check([
      ["gh pr list -R acme/web", "observe", "pr list", WEB],
      ["gh pr checkout 12", "observe", "pr checkout"],
      ["gh release download v1 -R github.com/acme/web", "observe", "release download", WEB],
      ["gh search code --owner acme x", "observe", "search code"],
      ["gh pr merge 12 --squash", "modify", "pr merge"],
      ["gh label clone acme/web -R acme/prod", "modify", "label clone", { repo: "acme/prod", org: "acme" }],
      ["gh workflow run ci.yml -f a=b", "modify", "workflow run"],
      ["gh repo delete acme/web --yes", "sensitive", "repo delete", WEB],
      ["gh secret set X -b y -o acme", "sensitive", "secret set", { org: "acme" }],
      ["gh project item-delete 1 --id x --owner acme", "sensitive", "project item-delete", { org: "acme" }],
      ["gh issue transfer 1 acme/other", "sensitive", "issue transfer"],
      ["gh ssh-key add k.pub", "break-glass", "ssh-key add"],
      ["gh repo deploy-key add k.pub -R acme/web -w", "break-glass", "repo deploy-key add", WEB],
      ["gh codespace ssh -c x -- rm -rf /", "break-glass", "codespace ssh"],
      ["gh auth login --with-token", "break-glass", "auth login"],
      ["gh auth token", "sensitive", "auth token"],
      ["gh auth status", "observe", "auth status"],
    ]);
  });

  test("are judged by the flags that change them", () => {
    check([
      ["gh auth status --show-token", "sensitive", "auth status"],
      ["gh auth status -t", "sensitive", "auth status"],
      ["gh auth status --show-token=false", "observe", "auth status"],
      ["gh pr merge 12 -sd", "sensitive", "pr merge"],
      ["gh pr merge 12 --admin", "sensitive", "pr merge"],
      ["gh pr close 12 --delete-branch", "sensitive", "pr close"],
      ["gh issue develop 1 --list", "observe", "issue develop"],
      ["gh repo edit --visibility public", "sensitive", "repos/update"],
      ["gh repo set-default --view", "observe", "repo set-default"],
      ["gh repo sync --force", "sensitive", "repo sync"],
      ["gh pr comment 1 --delete-last", "sensitive", "pr comment"],
    ]);
  });

  test("have aliases, and flags before and after", () => {
    check([
      ["gh co 12", "observe", "pr checkout"],
      ["gh pr ls", "observe", "pr list"],
      ["gh issue new -t x -b y", "modify", "issue create"],
      ["gh secret remove X", "sensitive", "secret delete"],
      ["gh cs rebuild", "modify", "codespace rebuild"],
      ["gh -R acme/web pr list", "observe", "pr list", WEB],
      ["gh pr -R acme/web merge 1", "modify", "pr merge", WEB],
      ["gh pr merge --repo=acme/web 1", "modify", "pr merge", WEB],
      ["gh repo deploy-key -R acme/web delete 1", "sensitive", "repo deploy-key delete", WEB],
      ["/usr/bin/gh pr list", "observe", "pr list"],
    ]);
  });

  test("print help, but not where --help is the value of a flag", () => {
    check([
      ["gh", "observe", "help"],
      ["gh --version", "observe", "help"],
      ["gh help pr merge", "observe", "help"],
      ["gh pr", "observe", "help"],
      ["gh repo deploy-key", "observe", "help"],
      ["gh repo delete x --help", "observe", "help"],
      ["gh repo delete x -h", "observe", "help"],
      ["gh pr comment 1 -b --help", "modify", "pr comment"],
      ["gh repo edit -h https://x", "modify", "repo edit"],
    ]);
  });

  test("that gh does not know may be anything, and so may flags", () => {
    check([
      ["gh frob", "unknown", ""],
      ["gh pr frob", "unknown", ""],
      ["gh frob --help", "unknown", ""],
      ["gh copilot suggest x", "unknown", "copilot"],
      ["gh pr list --frob", "unknown", "pr list"],
      ["gh extension exec x", "break-glass", "extension exec"],
      ["gh extension install acme/x", "sensitive", "extension install"],
    ]);
    const answer = githubClassifier.classifyArgv(argvOf("gh ssh-key add k.pub --frob"));
    expect(answer.parts?.map(({ tier }) => tier)).toEqual(["break-glass", "unknown"]);
  });

  test("name their repository by URL, by flag, or by word", () => {
    check([
      ["gh pr view https://github.com/acme/web/pull/12", "observe", "pr view", WEB],
      ["gh pr merge https://github.com/acme/web/pull/12 -R acme/other", "modify", "pr merge", WEB],
      ["gh repo view acme/web", "observe", "repo view", WEB],
      ["gh repo clone https://github.com/acme/web.git", "observe", "repo clone", WEB],
      ["gh repo clone git@github.com:acme/web.git dir", "observe", "repo clone", WEB],
      ["gh repo list acme", "observe", "repo list", { org: "acme" }],
      ["gh pr list -R web", "observe", "pr list", { org: "web" }],
    ]);
    const two = githubClassifier.classifyArgv(
      argvOf("gh issue close https://github.com/acme/web/issues/1 https://github.com/acme/prod/issues/1"),
    );
    expect(two.parts?.map(({ labels }) => labels.repo)).toEqual(["acme/web", "acme/prod"]);
  });
});

describe("gh api sends", () => {
  test("a GET, or a POST where fields or a body are given", () => {
    check([
      ["gh api repos/acme/web/issues", "observe", "issues/list-for-repo", WEB],
      ["gh api /repos/acme/web/issues -f title=x", "modify", "issues/create", WEB],
      ["gh api repos/acme/web/issues -F title=x", "modify", "issues/create", WEB],
      ["gh api repos/acme/web/issues --input i.json", "modify", "issues/create", WEB],
      ["gh api -X GET search/issues -f q=x", "observe", "search/issues-and-pull-requests"],
      ["gh api repos/acme/web --method delete", "sensitive", "repos/delete", WEB],
      ["gh api -XDELETE repos/acme/web", "sensitive", "repos/delete", WEB],
      ["gh api repos/{owner}/{repo}/issues", "observe", "issues/list-for-repo"],
      ["gh api repos/:owner/:repo/issues -f title=x", "modify", "issues/create"],
      ["gh api https://api.github.com/repos/acme/web -X DELETE", "sensitive", "repos/delete", WEB],
      [
        "gh api --hostname ghe.example repos/acme/web/keys -f key=x",
        "break-glass",
        "repos/create-deploy-key",
        WEB,
      ],
      ["gh api --hostname acme.ghe.com repos/acme/web", "observe", "repos/get", WEB],
      ["gh api repos/acme/web -H X-HTTP-Method-Override:DELETE", "sensitive", "repos/delete", WEB],
      ["gh api -X PATCH repos/acme/web -f description=x", "modify", "repos/update", WEB],
      ["gh api -X PATCH repos/acme/web -F private=false", "sensitive", "repos/update", WEB],
      [
        "gh api -X PATCH repos/acme/web -f security_and_analysis[secret_scanning][status]=disabled",
        "sensitive",
        "repos/update",
        WEB,
      ],
      ["gh api -X PATCH repos/acme/web --input x.json", "unknown", "repos/update", WEB],
      ["gh api", "unknown", "api"],
      ["gh api ftp://x/y", "unknown", "api"],
    ]);
  });

  test("GraphQL documents, read where they are on the command line", () => {
    check([
      ["gh api graphql -f query='{ viewer { login } }'", "observe", "query viewer"],
      [
        "gh api graphql -f query='query($o:String!){repository(owner:$o,name:\"web\"){id}}' -F o=acme",
        "observe",
        "query repository",
        WEB,
      ],
      ["gh api graphql -f query='mutation{deleteIssue(input:{}){id}}'", "sensitive", "mutation deleteIssue"],
      [
        "gh api graphql -f query='query A{a} mutation B{deleteIssue(input:{}){id}}' -f operationName=B",
        "sensitive",
        "mutation deleteIssue",
      ],
      ["gh api graphql -F query=@q.graphql", "unknown", ""],
      ["gh api graphql --input q.json", "unknown", ""],
      ["gh api graphql -f query='{a}' -f query='mutation{deleteIssue(input:{}){id}}'", "unknown", ""],
      ["gh api /graphql -f query='mutation{deleteIssue(input:{}){id}}'", "sensitive", "mutation deleteIssue"],
    ]);
  });
});

test("every command of gh has a tier, and every flag of it is read", () => {
  for (const line of GH_COMMANDS.trim().split("\n")) {
    const [name = "", flags = ""] = line.split(":");
    if (name === "api" || name === "copilot") continue;
    const plain = githubClassifier.classifyArgv(["gh", ...name.split(" ")]);
    expect([name, plain.command, plain.tier === "unknown"]).toEqual([name, name, false]);
    for (const flag of flags.split(" ").filter((one) => one !== "" && !one.startsWith("+"))) {
      const [, long = "", , kind] = /^([\w-]+)(?:\/(\w))?([=?]?)$/.exec(flag) ?? [];
      const argv = ["gh", ...name.split(" "), `--${long}${kind === "" ? "" : "=x"}`];
      expect([argv.join(" "), githubClassifier.classifyArgv(argv).tier === "unknown"]).toEqual([
        argv.join(" "),
        false,
      ]);
    }
  }
});
