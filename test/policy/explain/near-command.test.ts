// Hints for commands that nothing is called: other words for a deed, words in another order,
// plurals and slips lead to the operation that was meant, never to a milder one.

import { describe, expect, test } from "bun:test";
import type { Protocol } from "../../../src/model/protocol.ts";
import { isTier, TIERS } from "../../../src/model/tier.ts";
import { compileCommand } from "../../../src/policy/decide/rule-table.ts";
import { commandProblems } from "../../../src/policy/lint/known-commands.ts";
import { nameListsOf } from "../../../src/policy/lint/name-list.ts";
import { nearestCommand } from "../../../src/policy/lint/nearest-command.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";

const LIMIT = 300_000;

function problemOf(protocol: Protocol, typed: string) {
  const parsed = parsePolicy(
    `${protocol}:\n  inspect: [example.com]\n  rules:\n    deny: { commands: [${JSON.stringify(typed)}] }\n`,
  );
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  return commandProblems(parsed.policy)[0];
}

const MEANT: readonly (readonly [protocol: Protocol, typed: string, meant: string])[] = [
  ["kubectl", "pods/log", "pods/log get"],
  ["kubectl", "deployment scale", "scale deployment"],
  ["kubectl", "rollout restrat", "rollout restart"],
  ["kubectl", "kubectl rolout restart", "kubectl rollout restart"],
  ["kubectl", "set imge deploy", "set image deploy"],
  ["kubectl", "kubectl delet deploy", "kubectl delete deploy"],
  ["helm", "helm remove", "helm uninstall"],
  ["kubectl", "kubectl rollout restrat deployment", "kubectl rollout restart deployment"],
  ["kubectl", "node drain", "drain node"],
  ["kubectl", "pods destroy", "pods delete"],
  ["kubectl", "secrets read", "secrets get"],
  ["kubectl", "pod exec", "exec"],
  ["kubectl", "restart deployment", "rollout restart deployment"],
  ["aws", "s3 remove", "s3 rm"],
  ["aws", "s3:RemoveObject", "s3:DeleteObject"],
  ["aws", "ec2:DestroyInstances", "ec2:TerminateInstances"],
  ["aws", "ec2 delete-instance", "ec2 terminate-instances"],
  ["aws", "terminate-instances ec2", "ec2 terminate-instances"],
  ["aws", "dynamodb drop-table", "dynamodb delete-table"],
  ["aws", "iam create-users", "iam create-user"],
  ["gcloud", "compute.instances.destroy", "compute.instances.delete"],
  ["github", "repo remove", "repo delete"],
  ["github", "gh repo destroy", "gh repo delete"],
  ["github", "delete repo", "repo delete"],
  ["cloudflare", "dns.records.remove", "dns.records.delete"],
  ["cloudflare", "wrangler d1 remove", "wrangler d1 delete"],
  ["fly", "apps.machines.destroy", "apps.machines.delete"],
];

describe("a hint is the operation that was meant", () => {
  for (const [protocol, typed, meant] of MEANT)
    test(
      `${protocol}: ${typed}`,
      () => {
        expect(problemOf(protocol, typed)).toMatchObject({
          severity: "error",
          hint: `did you mean '${meant}'?`,
        });
      },
      LIMIT,
    );

  test(
    "a permission that no request is called is told as such",
    () => {
      expect(problemOf("aws", "iam:PassRole")?.hint).toStartWith(
        "IAM checks it where a request hands a role",
      );
      expect(problemOf("aws", "iam:PasRole")?.hint ?? "").not.toContain("TagRole");
    },
    LIMIT,
  );

  test(
    "a command line that only looks like one of the tool is told with the command that sends requests",
    () => {
      expect(problemOf("gcloud", "gcloud compute instances destroy")).toMatchObject({
        severity: "warning",
        hint: "if 'compute instances delete' is meant, type that: it is about the requests, too",
      });
    },
    LIMIT,
  );
});

test(
  "an option that makes a deletion of a command is not left out of a hint",
  () => {
    expect(nearestCommand("terraform", ["apply", "-destroy"])).toBeUndefined();
    expect(nearestCommand("github", ["release", "view", "--delete"])?.text).toBe("release delete");
  },
  LIMIT,
);

test(
  "another word for a deletion never leads to something milder",
  () => {
    const found: string[] = [];
    for (const protocol of ["kubectl", "aws", "gcloud", "github", "cloudflare", "fly"] as const) {
      const deletions = nameListsOf(protocol).requests.list.filter(
        (name) => /delete/i.test(name) && nameListsOf(protocol).requestOf(name)?.operation.tier !== "observe",
      );
      const every = Math.ceil(deletions.length / 6);
      for (const name of deletions.filter((_, index) => index % every === 0))
        for (const word of ["destroy", "remove", "kill"]) {
          const typed = name
            .replace(/delete/, word)
            .replace(/Delete/, word[0]?.toUpperCase() + word.slice(1));
          const near = nearestCommand(protocol, typed.split(" "));
          if (near === undefined) continue;
          const compiled = compileCommand(protocol, near.text);
          const tiers = ("globs" in compiled ? compiled.globs : []).flatMap(
            ({ fixed }) => nameListsOf(protocol).requestOf(fixed)?.operation.tier ?? [],
          );
          const isMild =
            tiers.length > 0 &&
            tiers.every((one) => isTier(one) && TIERS.indexOf(one) < TIERS.indexOf("sensitive"));
          if (isMild && !/delete/i.test(near.text)) found.push(`${protocol}: ${typed} → ${near.text}`);
        }
    }
    expect(found).toEqual([]);
  },
  LIMIT,
);

describe("gcloud, gsutil and bq mean the API's methods", () => {
  const rows: readonly (readonly [typed: string, sent: string])[] = [
    ["gcloud storage rm", "storage.objects.delete"],
    ["storage rm", "storage.buckets.delete"],
    ["gsutil rm", "storage.objects.delete"],
    ["gsutil rb", "storage.buckets.delete"],
    ["compute firewall-rules create", "compute.firewalls.insert"],
    ["gcloud compute firewall-rules delete", "compute.firewalls.delete"],
    ["compute networks subnets delete", "compute.subnetworks.delete"],
    ["compute forwarding-rules delete", "compute.globalForwardingRules.delete"],
    ["bq rm", "bigquery.tables.delete"],
    ["gcloud run deploy", "run.namespaces.services.replaceService"],
  ];
  for (const [typed, sent] of rows)
    test(
      typed,
      () => {
        expect(problemOf("gcloud", typed)).toBeUndefined();
        const compiled = compileCommand("gcloud", typed);
        const globs = "globs" in compiled ? compiled.globs : [];
        expect(globs.some((glob) => glob.test(sent.toLowerCase()))).toBe(true);
      },
      LIMIT,
    );

  test("an allow of a removal of objects is none of their bucket", () => {
    const compiled = compileCommand("gcloud", "gsutil rm");
    const only = "globs" in compiled ? (compiled.onlyRestricting ?? []) : [];
    expect(only.map(({ fixed }) => fixed)).toEqual(["storage.buckets.delete"]);
  });
});
