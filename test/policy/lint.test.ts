// Rules that look like protection and are none: commands that match nothing, rules that others
// always decide, entries that nothing reaches, allows for one scope of what is denied elsewhere.

import { describe, expect, test } from "bun:test";
import type { Protocol } from "../../src/model/protocol.ts";
import { knownNames } from "../../src/policy/compare/catalogue.ts";
import { decide } from "../../src/policy/decide/decide.ts";
import { DEFAULT_POLICY } from "../../src/policy/default-policy.ts";
import { commandProblems, newCommandProblems } from "../../src/policy/lint/known-commands.ts";
import { lintPolicy } from "../../src/policy/lint/lint.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { classifierFor } from "../../src/protocols/registry.ts";
import { readToolCommands } from "../../src/protocols/vocabulary.ts";

const LIMIT = 300_000;
const catalogue = knownNames;

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text);
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

function denying(protocol: Protocol, ...commands: readonly string[]): Policy {
  const list = commands.map((command) => `        - ${JSON.stringify(command)}`).join("\n");
  return policyOf(
    `${protocol}:\n  inspect: [example.com]\n  default: allow\n  rules:\n    deny:\n      commands:\n${list}\n`,
  );
}

function verdictOn(policy: Policy, protocol: Protocol, command: string, tier: "observe" | "sensitive") {
  return decide(policy, { protocol, tier, command, aliases: [], labels: {}, reason: "" }).action;
}

describe("a tool's spelling means what the tool sends", () => {
  const rows: readonly (readonly [protocol: Protocol, typed: string, sent: string])[] = [
    ["kubectl", "delete pod", "pods delete"],
    ["kubectl", "kubectl delete pod", "pods delete"],
    ["kubectl", "get po", "pods get"],
    ["kubectl", "pods/exec", "exec"],
    ["kubectl", "logs", "pods/log get"],
    ["kubectl", "kubectl delete", "pods delete"],
    ["kubectl", "delete", "widgets deletecollection"],
    ["kubectl", "kubectl delete *", "secrets delete"],
    ["kubectl", "kubectl *", "secrets delete"],
    ["kubectl", "kubectl get", "secrets list"],
    ["kubectl", "kubectl patch", "deployments patch"],
    ["kubectl", "kubectl create", "deployments create"],
    ["kubectl", "apply", "deployments patch"],
    ["kubectl", "get secret", "secrets list"],
    ["kubectl", "kubectl get secrets", "secrets watch"],
    ["kubectl", "get cm", "configmaps list"],
    ["kubectl", "create token", "serviceaccounts/token create"],
    ["kubectl", "kubectl create token", "serviceaccounts/token create"],
    ["kubectl", "svc *", "services delete"],
    ["kubectl", "delete all", "statefulsets delete"],
    ["kubectl", "get all", "horizontalpodautoscalers list"],
    ["kubectl", "kubectl taint nodes", "nodes patch"],
    ["helm", "DELETE", "DELETE"],
    ["helm", "GET", "GET"],
    ["helm", "delete", "DELETE"],
    ["helm", "delete", "uninstall"],
    ["kubectl", "delete widgets.example.com", "widgets delete"],
    ["github", "repo delete", "repos/delete"],
    ["github", "gh repo delete", "repos/delete"],
    ["github", "pr merge", "mutation mergePullRequest"],
    ["aws", "s3 rm", "s3:DeleteObject"],
    ["aws", "aws s3 rm", "s3:DeleteObject"],
    ["gcloud", "compute instances delete", "compute.instances.delete"],
    ["gcloud", "gcloud sql instances delete", "sql.instances.delete"],
    ["cloudflare", "wrangler d1 delete", "d1.database.delete"],
    ["fly", "fly apps destroy", "mutation deleteApp"],
  ];
  for (const [protocol, typed, sent] of rows)
    test(
      `${protocol}: ${typed}`,
      () => {
        const policy = denying(protocol, typed);
        expect(verdictOn(policy, protocol, sent, "sensitive")).toBe("deny");
        expect(commandProblems(policy)).toEqual([]);
      },
      LIMIT,
    );

  test("another group's type with a name of Kubernetes' own is not Kubernetes' own", () => {
    expect(
      verdictOn(denying("kubectl", "get secrets.example.com"), "kubectl", "secrets get", "observe"),
    ).toBe("allow");
  });

  test("the program's own commands stay what they are", () => {
    expect(verdictOn(denying("github", "gh repo delete"), "github", "repo delete", "sensitive")).toBe("deny");
  });

  for (const protocol of ["github", "aws", "cloudflare", "fly"] as const)
    test(
      `the tool commands of ${protocol} name operations that exist`,
      async () => {
        const table = await Bun.file(
          new URL(`../../src/protocols/${protocol}/tool-commands.tsv`, import.meta.url),
        ).text();
        const operations = new Set([...readToolCommands(table).values()].flat());
        const policy = denying(protocol, ...operations);
        expect(commandProblems(policy).map(({ message }) => message)).toEqual([]);
      },
      LIMIT,
    );
});

describe("a command that can never match is an error", () => {
  const rows: readonly (readonly [protocol: Protocol, typed: string, hint: string])[] = [
    ["kubectl", "secrets", "secrets *"],
    ["kubectl", "delet pod", "delete pod"],
    ["kubectl", "kubectl delet pod", "kubectl delete pod"],
    ["kubectl", "pods/exce", "pods/exec"],
    ["kubectl", "exec pods", "exec"],
    ["kubectl", "delete pod api", "delete pod"],
    ["kubectl", "secretz get", "secrets get"],
    ["kubectl", "get secretz", "get secrets"],
    ["kubectl", "delete podd", "delete pods"],
    ["kubectl", "kubectl delete -f", "kubectl delete"],
    ["kubectl", "kubectl delete -f x.yaml", "kubectl delete"],
    ["kubectl", "get secret -w", "kubectl get secret"],
    ["kubectl", "delete pood", "delete pod"],
    ["kubectl", "delete poods", "delete pods"],
    ["kubectl", "delete jop", "delete job"],
    ["kubectl", "delete pds", "delete pods"],
    ["kubectl", "delete svcs", "delete svc"],
    ["kubectl", "delete pvcs", "delete pvc"],
    ["kubectl", "ingres delete", "ingress delete"],
    ["kubectl", "get scret", "get secret"],
    ["kubectl", "delete pod,svc", "delete svc"],
    ["kubectl", "delete deploy/api", "delete deploy"],
    ["kubectl", "deploymnets delete", "deployments delete"],
    ["github", "git psh", "git push"],
    ["github", "gh repo delete acme/web", "gh repo delete"],
    ["aws", "ec3 *", "ec2 *"],
    ["aws", "ec2:TerminateInstance", "ec2:TerminateInstances"],
    ["aws", "aws s3 rm --recursive", "aws s3 rm"],
    ["gcloud", "gcloud compute instance delete", "gcloud compute instances delete"],
    ["cloudflare", "wrangler kv key delte", "wrangler kv key delete"],
    ["fly", "fly app destory", "fly apps destroy"],
    ["github", "repos/delte", "repos/delete"],
    ["aws", "ec2 terminate-instance", "ec2 terminate-instances"],
    ["gcloud", "compute.instances.delte", "compute.instances.delete"],
    ["cloudflare", "dns.record.delete", "dns.records.delete"],
    // Also a tool's spelling, with its program or without.
    ["aws", "s3 rmm", "s3 rm"],
    ["aws", "aws s3 rmm", "aws s3 rm"],
    ["github", "gh repo delet", "gh repo delete"],
    ["github", "repo delet", "repo delete"],
    ["gcloud", "gcloud compute instances delte", "gcloud compute instances delete"],
    ["gcloud", "projects delte", "projects delete"],
    ["cloudflare", "wrangler d1 delet", "wrangler d1 delete"],
    ["fly", "fly apps destory", "fly apps destroy"],
  ];
  for (const [protocol, typed, hint] of rows)
    test(
      `${protocol}: ${typed}`,
      () => {
        const [problem] = commandProblems(denying(protocol, typed));
        expect(problem?.severity).toBe("error");
        expect(problem?.message).toContain(`'${typed}'`);
        expect(problem?.hint).toContain(`'${hint}'`);
        expect(problem?.line).toBe(7);
      },
      LIMIT,
    );

  test("a custom resource is none", () => {
    const fine = ["certificates patch", "widgets.example.com delete", "widgets *", "secretz.example.com get"];
    expect(commandProblems(denying("kubectl", ...fine))).toEqual([]);
  });

  test("each protocol's tool spellings are taken as they are", () => {
    for (const protocol of ["kubectl", "github", "aws", "gcloud", "cloudflare", "fly"] as const) {
      const commands = classifierFor(protocol).vocabulary?.toolCommands() ?? [];
      expect(commands.length).toBeGreaterThan(2);
      const some = commands.filter((_, index) => index % Math.ceil(commands.length / 200) === 0);
      const problems = commandProblems(denying(protocol, ...some));
      expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    }
  }, 120_000);

  test("what only command lines are called is pointed out", () => {
    expect(commandProblems(denying("github", "pr checkout"))).toMatchObject([{ severity: "warning" }]);
    const rows = [
      ["kubectl", "version", "operations of the API"],
      ["terraform", "terraform destroy", "aws, gcloud or kubectl"],
      ["helm", "helm uninstall", "'* delete'"],
      ["helm", "helm secrets", "say it under kubectl"],
    ] as const;
    for (const [protocol, typed, hint] of rows)
      expect(commandProblems(denying(protocol, typed))).toMatchObject([
        {
          severity: "warning",
          message: expect.stringContaining("it acts in hooks alone"),
          hint: expect.stringContaining(hint),
        },
      ]);
  });

  test("an allow of a kubectl command without a type lets no request through, and is pointed out", () => {
    const policy = policyOf(
      "kubectl:\n  inspect: [example.com]\n  default: deny\n  rules: { allow: { commands: [kubectl create, delete pods] } }\n",
    );
    // `pods/exec create` is a name of every exec.
    for (const sent of ["pods create", "pods/exec create", "pods deletecollection"])
      expect(verdictOn(policy, "kubectl", sent, "observe")).toBe("deny");
    expect(verdictOn(policy, "kubectl", "create", "observe")).toBe("allow");
    expect(verdictOn(policy, "kubectl", "pods delete", "observe")).toBe("allow");
    expect(commandProblems(policy)).toMatchObject([
      {
        severity: "warning",
        message: expect.stringContaining("'kubectl create' is about command lines alone"),
      },
    ]);
  });

  test("what the policy in force already has is a warning", () => {
    const old = denying("kubectl", "secrets");
    const fresh = denying("kubectl", "secrets", "pods delete", "configmaps");
    expect(newCommandProblems(fresh, old).map(({ severity }) => severity)).toEqual(["warning", "error"]);
  });
});

describe("lint", () => {
  const kindsOf = (text: string) =>
    lintPolicy(policyOf(text), catalogue).map(({ kind, line }) => `${kind} ${line}`);

  test(
    "finds nothing in the default policy",
    () => {
      expect(kindsOf(DEFAULT_POLICY)).toEqual([]);
    },
    LIMIT,
  );

  test(
    "finds rules that another always decides, entries that nothing reaches, and an allow over a deny",
    () => {
      const text = `kubectl:
  inspect: [example.com]
  namespaces:
    - names: ["prod-*"]
      rules:
        allow: { commands: [secrets get] }
    - names: [prod-eu]
      rules:
        deny: { commands: [pods delete] }
  rules:
    deny: { commands: ["secrets *"] }
    escalate: { commands: [secrets list] }
`;
      expect(kindsOf(text)).toEqual(["wider-than-deny 6", "unreachable 7", "shadowed 12"]);
    },
    LIMIT,
  );

  test("counts hits where they are known", () => {
    const policy = denying("kubectl", "pods delete", "secrets get");
    const hits = new Map([["kubectl.rules.deny.commands[0]", 3]]);
    expect(
      lintPolicy(policy, catalogue, hits).map(({ kind, line, message }) => [kind, line, message]),
    ).toEqual([["no-hits", 8, "this deny of 'secrets get' has not decided any request in the last 30 days"]]);
  });
});

describe("hosts and tools that are judged by method or by their own words", () => {
  const rows: readonly (readonly [protocol: Protocol, typed: string, hint: string | undefined])[] = [
    ["generic", "DELETE", undefined],
    ["generic", "propfind", undefined],
    ["generic", "websocket", undefined],
    ["generic", "*", undefined],
    ["generic", "DELTE", "did you mean 'DELETE'?"],
    ["generic", "delete user", "did you mean 'DELETE'?"],
    ["terraform", "LOCK", undefined],
    ["terraform", "aply", "did you mean 'apply'?"],
    ["helm", "uninstal", "did you mean 'uninstall'?"],
  ];
  for (const [protocol, typed, hint] of rows)
    test(
      `${protocol}: ${typed}`,
      () => {
        const problems = commandProblems(denying(protocol, typed));
        if (hint === undefined) expect(problems).toEqual([]);
        else expect(problems).toMatchObject([{ severity: "error" }]);
        if (hint !== undefined && !typed.includes(" ")) expect(problems[0]?.hint).toBe(hint);
      },
      LIMIT,
    );
});
