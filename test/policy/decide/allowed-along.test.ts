// An allow by a tool's spelling lets through more than its name says, because requests do not say
// which command sent them: the warning names the other commands, and bodies that tell are told apart.

import { describe, expect, test } from "bun:test";
import type { Protocol } from "../../../src/model/protocol.ts";
import { knownNames } from "../../../src/policy/compare/catalogue.ts";
import { diffPolicies } from "../../../src/policy/compare/diff.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { alongProblems, commandProblems, newAlongProblems } from "../../../src/policy/lint/known-commands.ts";
import { lintPolicy } from "../../../src/policy/lint/lint.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { classifierFor } from "../../../src/protocols/registry.ts";
import { requestOf } from "../../protocols/request-of.ts";

const LIMIT = 300_000;

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text);
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

function allowing(protocol: Protocol, commands: readonly string[], rest = ""): Policy {
  return policyOf(
    `${protocol}:\n  inspect: [api.example.com]\n  groups: { admin: { tiers: [break-glass, sensitive] } }\n  rules:\n    allow: { commands: ${JSON.stringify(commands)} }\n${rest}`,
  );
}

describe("a warning names the other commands that an allow lets through", () => {
  const rows: readonly (readonly [protocol: Protocol, allow: string, named: readonly string[]])[] = [
    ["aws", "s3 cp", ["'s3 mv'", "'s3 sync'", "except what needs s3:DeleteObject"]],
    ["cloudflare", "wrangler deploy", ["'wrangler rollback'", "'wrangler versions deploy'"]],
    ["github", "gh issue comment", ["'gh pr comment'"]],
    ["github", "gist edit", ["'gist rename'"]],
    ["fly", "fly apps restart", ["'fly machine restart'"]],
    ["gcloud", "gcloud projects add-iam-policy-binding", ["'gcloud projects remove-iam-policy-binding'"]],
    ["kubectl", "kubectl label nodes", ["'kubectl patch nodes'", "'kubectl cordon'"]],
    ["kubectl", "rollout undo deployment", ["'patch deployment'", "'edit deployment'"]],
  ];
  for (const [protocol, allow, named] of rows)
    test(
      `${protocol}: ${allow}`,
      () => {
        const [problem] = alongProblems(allowing(protocol, [allow]));
        expect(problem).toMatchObject({ severity: "warning", line: 5 });
        for (const text of named) expect(problem?.message).toContain(text);
      },
      LIMIT,
    );

  test(
    "kinds of a patch are let through with the whole, and no type is named to which nothing is done",
    () => {
      const [problem] = alongProblems(allowing("kubectl", ["kubectl label nodes"]));
      expect(problem?.message).not.toMatch(/what needs (?:cordon|uncordon|taint)|set image|rollout/);
    },
    LIMIT,
  );

  test(
    "and none where the API is named, where nothing else is served, of reads, or in a deny",
    () => {
      const silent: readonly (readonly [Protocol, readonly string[]])[] = [
        ["github", ["gh issue close", "pr edit", "gh repo edit"]],
        ["aws", ["s3:PutObject", "s3 ls", "ec2 terminate-instances"]],
        ["cloudflare", ["workers.scripts.deployments.create", "d1 delete"]],
        ["kubectl", ["deployments/scale patch", "kubectl get pods", "kubectl delete pods"]],
        ["gcloud", ["compute instances delete"]],
        [
          "kubectl",
          ["kubectl cordon", "drain", "set image deploy", "rollout restart", "rollout restart sts"],
        ],
      ];
      for (const [protocol, commands] of silent)
        expect(alongProblems(allowing(protocol, commands))).toEqual([]);
      expect(
        alongProblems(
          policyOf("aws:\n  inspect: [a.example.com]\n  rules:\n    deny: { commands: [s3 cp] }\n"),
        ),
      ).toEqual([]);
    },
    LIMIT,
  );

  test(
    "what is listed as well is meant",
    () => {
      expect(alongProblems(allowing("aws", ["s3 cp", "s3 mv", "aws s3 sync", "s3 rm"]))).toEqual([]);
      expect(alongProblems(allowing("github", ["gist edit", "gists/update"]))).toEqual([]);
    },
    LIMIT,
  );

  test(
    "a stricter body is told where nothing denies it",
    () => {
      const stricter = (rest: string) =>
        alongProblems(allowing("kubectl", ["kubectl create deployment"], rest)).filter(({ message }) =>
          message.includes("its body makes it"),
        );
      expect(stricter("").map(({ message }) => message)).toEqual([
        "an allow of 'kubectl create deployment' lets deployments create through even where its body makes it sensitive or break-glass",
      ]);
      expect(stricter("    deny: { groups: [admin] }\n")).toEqual([]);
    },
    LIMIT,
  );

  test(
    "lint has it as a remark, validate as a warning, a comparison where it is new",
    () => {
      const policy = allowing("aws", ["s3 cp"]);
      expect(lintPolicy(policy, knownNames).map(({ kind }) => kind)).toEqual(["takes-along"]);
      expect(commandProblems(policy).map(({ severity }) => severity)).toEqual(["warning"]);
      expect(newAlongProblems(policy, policy)).toEqual([]);
      expect(newAlongProblems(allowing("aws", ["s3 ls"]), policy)).toHaveLength(1);
    },
    LIMIT,
  );
});

describe("an allow of one change of an issue or a pull request", () => {
  const graphql = (mutation: string) => {
    const query = `mutation M($input: ${mutation}Input!) { ${mutation}(input: $input) { clientMutationId } }`;
    const body = JSON.stringify({ query, variables: { input: { issueId: "I_1" } } });
    return classifierFor("github").classify(requestOf("POST https://api.github.com/graphql", { body }));
  };
  const rest = classifierFor("github").classify(
    requestOf("PATCH https://api.github.com/repos/o/r/issues/1", { body: '{"state":"closed"}' }),
  );

  test("is about gh's own mutation alone, a deny about the operation of REST, too", () => {
    const policy = allowing("github", ["gh issue close"]);
    expect(decide(policy, graphql("closeIssue")).action).toBe("allow");
    for (const other of [graphql("updateIssue"), graphql("reopenIssue"), rest])
      expect(decide(policy, other).action).toBe("escalate");
    const denying = policyOf(
      "github:\n  inspect: [api.github.com]\n  default: allow\n  rules:\n    deny: { commands: [gh issue close] }\n",
    );
    for (const one of [graphql("closeIssue"), rest]) expect(decide(denying, one).action).toBe("deny");
  });
});

describe("an allow of gh repo edit", () => {
  const bodies: readonly (readonly [body: string, action: string])[] = [
    ['{"description":"x","has_wiki":false}', "allow"],
    ['{"visibility":"public"}', "escalate"],
    ['{"description":"x","private":false}', "escalate"],
    ['{"name":"x"}', "escalate"],
    ['{"archived":true}', "escalate"],
    ['{"something":1}', "escalate"],
    ["{}", "escalate"],
    ["", "escalate"],
  ];
  const policy = allowing("github", ["gh repo edit"]);
  for (const [body, action] of bodies)
    test(`${body || "no body"} is ${action}`, () => {
      const request = requestOf("PATCH https://api.github.com/repos/o/r", { body });
      expect(decide(policy, classifierFor("github").classify(request)).action as string).toBe(action);
    });

  test("its command line is allowed without the settings that guard something", () => {
    const action = (flags: string) =>
      decide(policy, classifierFor("github").classifyArgv(`gh repo edit o/r ${flags}`.split(" "))).action;
    for (const flags of ["--description x", "--enable-wiki=false", "--default-branch main"])
      expect([flags, action(flags)]).toEqual([flags, "allow"]);
    for (const flags of [
      "--visibility public",
      "--visibility=private --description x",
      "--allow-forking",
      "--enable-secret-scanning=false",
      "--enable-secret-scanning-push-protection=false",
      "--enable-advanced-security=false",
    ])
      expect([flags, action(flags)]).toEqual([flags, "escalate"]);
  });

  test("a deny of it is about every change of the repository's settings", () => {
    const denying = policyOf(
      "github:\n  inspect: [api.github.com]\n  default: allow\n  rules:\n    deny: { commands: [gh repo rename] }\n",
    );
    const request = requestOf("PATCH https://api.github.com/repos/o/r", {
      body: '{"name":"x","private":true}',
    });
    expect(decide(denying, classifierFor("github").classify(request)).action).toBe("deny");
  });

  test(
    "a comparison tells it apart from the whole operation",
    () => {
      const diff = diffPolicies(policy, allowing("github", ["repos/update"]), knownNames);
      expect(diff.isWider).toBe(true);
    },
    LIMIT,
  );
});
