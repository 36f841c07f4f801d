// Types that a cluster adds are called with their group. The law: an allow by the bare name of one of
// Kubernetes' own types is about no other group's type, a deny or an escalate of it is about all of
// them; a type that only clusters add may be named with its group or without.

import { describe, expect, test } from "bun:test";
import type { Classification } from "../../../src/model/classification.ts";
import { knownNames } from "../../../src/policy/compare/catalogue.ts";
import { diffPolicies } from "../../../src/policy/compare/diff.ts";
import { checkNever } from "../../../src/policy/compare/never.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { commandProblems } from "../../../src/policy/lint/known-commands.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { builtInTypes } from "../../../src/protocols/kubectl/resources.ts";
import { classifierFor } from "../../../src/protocols/registry.ts";
import { requestOf } from "../../protocols/request-of.ts";
import { policyFrom } from "../../support/policy/policy-trees.ts";

const GROUP = "serving.knative.dev";

function policyOf(action: string, commands: readonly string[], fallback = "escalate"): Policy {
  const rules = { [action]: { commands } };
  return policyFrom({ kubectl: { inspect: ["k.example.com"], default: fallback, rules } });
}

const kubectl = classifierFor("kubectl");

function sent(method: string, group: string, path: string): Classification {
  const root = group === "" ? "/api/v1" : `/apis/${group}/v1`;
  return kubectl.classify(requestOf(`${method} https://k.example.com${root}/namespaces/a/${path}`));
}

const typed = (line: string) => kubectl.classifyArgv(line.split(" "));

describe("a type that has the name of one of Kubernetes' own", () => {
  const METHODS = [
    ["GET", "/x", "get"],
    ["GET", "", "list"],
    ["POST", "", "create"],
    ["PUT", "/x", "update"],
    ["PATCH", "/x", "patch"],
    ["DELETE", "/x", "delete"],
    ["DELETE", "", "deletecollection"],
  ] as const;

  test("is let through by no allow of the bare name, and by one of its own", () => {
    const wrong: string[] = [];
    for (const { resource, group } of builtInTypes())
      for (const [method, rest, verb] of METHODS) {
        const own = sent(method, group, resource + rest);
        const added = sent(method, GROUP, resource + rest);
        const name = `${resource} ${verb}`;
        const actions = [`${name}`, `${verb} ${resource}`, `${resource}.${GROUP} ${verb}`].map((command) =>
          [own, added].map((one) => decide(policyOf("allow", [command]), one).action).join(),
        );
        // In kubectl's own order a type without an object is listed, and not deleted as a whole.
        const isKubectls = verb !== "update" && verb !== "deletecollection";
        const wanted = ["allow,escalate", isKubectls ? "allow,escalate" : "", "escalate,allow"];
        for (const [index, want] of wanted.entries())
          if (want !== "" && own.tier !== "unknown" && actions[index] !== want)
            wrong.push(`${name} of ${group}: ${actions.join(" ")}`);
      }
    expect(wrong).toEqual([]);
  });

  test("is denied and asked about with it", () => {
    const wrong: string[] = [];
    for (const { resource } of builtInTypes())
      for (const [method, rest, verb] of METHODS)
        for (const action of ["deny", "escalate"])
          for (const command of [
            `${resource} ${verb}`,
            `${resource} *`,
            `* ${verb}`,
            `?${resource.slice(1)} ${verb}`,
          ]) {
            const added = sent(method, GROUP, resource + rest);
            if (decide(policyOf(action, [command], "allow"), added).action !== action)
              wrong.push(`${action} ${command}`);
          }
    expect(wrong).toEqual([]);
  });

  test("kubectl's own words for it are Kubernetes' own type", () => {
    const knative = sent("POST", GROUP, "services");
    for (const command of [
      "create service",
      "services create",
      "kubectl create svc",
      "expose",
      "svc create",
    ]) {
      expect([command, decide(policyOf("allow", [command]), knative).action]).toEqual([command, "escalate"]);
      expect([command, decide(policyOf("deny", [command], "allow"), knative).action]).toEqual([
        command,
        "deny",
      ]);
    }
  });

  test("its command line is called as its request is", () => {
    for (const line of [`kubectl delete services.${GROUP} x`, `kubectl delete svc.v1.${GROUP} x`])
      expect(typed(line).command).toBe(`services.${GROUP} delete`);
    expect(typed("kubectl delete deployments.apps x").command).toBe("deployments delete");
  });

  test("the groups of the API server itself, and its metrics, have the bare name", () => {
    for (const group of ["apps", "extensions"])
      expect(
        decide(policyOf("allow", ["deployments patch"]), sent("PATCH", group, "deployments/x")).action,
      ).toBe("allow");
    expect(sent("GET", "metrics.k8s.io", "pods").command).toBe("pods list");
    expect(sent("GET", "events.k8s.io", "events").command).toBe("events list");
  });
});

describe("a type that only clusters add", () => {
  const one = sent("DELETE", "postgresql.cnpg.io", "clusters/x");
  const other = sent("DELETE", "cluster.x-k8s.io", "clusters/x");
  const below = sent("PATCH", "postgresql.cnpg.io", "clusters/x/scale");
  const line = typed("kubectl delete clusters x");
  const rows: readonly (readonly [
    command: string,
    ...actions: readonly [one: string, other: string, line: string],
  ])[] = [
    ["clusters delete", "allow", "allow", "allow"],
    ["clusters *", "allow", "allow", "allow"],
    ["kubectl delete clusters", "allow", "allow", "allow"],
    ["clusters.postgresql.cnpg.io delete", "allow", "escalate", "escalate"],
    ["clusters.v1.postgresql.cnpg.io delete", "allow", "escalate", "escalate"],
    ["*.cnpg.io delete", "allow", "escalate", "escalate"],
    ["clusters/* delete", "escalate", "escalate", "escalate"],
  ];
  for (const [command, ...actions] of rows)
    test(`is allowed by '${command}' where that says so`, () => {
      const policy = policyOf("allow", [command]);
      expect([one, other, line].map((each) => decide(policy, each).action as string)).toEqual([...actions]);
      expect(decide(policy, below).action).toBe("escalate");
    });

  test("an allow of all that can be done to it is none of what is below it", () => {
    const policy = policyOf("allow", ["clusters patch", "clusters *"]);
    expect(decide(policy, below).action).toBe("escalate");
    expect(decide(policyOf("allow", ["clusters/scale patch"]), below).action).toBe("allow");
    expect(decide(policyOf("allow", ["clusters/* *"]), below).action).toBe("allow");
  });

  test("is denied with its group or without, also where a command line leaves it out", () => {
    for (const command of ["clusters delete", "clusters.postgresql.cnpg.io delete"])
      for (const each of [one, line])
        expect(decide(policyOf("deny", [command], "allow"), each).action).toBe("deny");
  });

  test("no spelling of it is an error or a warning", () => {
    const commands = [`services.${GROUP} create`, "clusters.postgresql.cnpg.io delete", "services create"];
    expect(commandProblems(policyOf("allow", commands))).toEqual([]);
  });
});

describe("the comparisons", () => {
  test("tell the two apart, and are silent where they are the same", () => {
    const bare = policyOf("allow", ["services create"]);
    const both = policyOf("allow", ["services create", `services.${GROUP} create`]);
    expect(diffPolicies(bare, both, knownNames).isWider).toBe(true);
    expect(diffPolicies(both, bare, knownNames).changes).toHaveLength(1);
    const denied = policyOf("deny", ["services create", `services.${GROUP} create`], "allow");
    const same = diffPolicies(policyOf("deny", ["services create"], "allow"), denied, knownNames);
    expect(same.changes).toEqual([]);
  }, 100_000);

  test("a promise about the bare name is about Kubernetes' own type, one with a group about that", () => {
    const policy = policyOf("allow", [`services.${GROUP} create`]);
    const check = (command: string) =>
      checkNever(policy, { command, scope: undefined, protocol: undefined }, knownNames);
    expect(check("services create")).toMatchObject({ broken: [], unknown: [] });
    expect(check(`services.${GROUP} create`).broken).not.toEqual([]);
    expect(check("services.* create").broken).not.toEqual([]);
  }, 100_000);
});
