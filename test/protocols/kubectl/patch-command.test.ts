// A patch that is exactly one command of kubectl is called so, and an allow of that command is about
// no other patch. Bodies are as kubectl 1.32 sends them; whatever differs keeps the operation's name.

import { describe, expect, test } from "bun:test";
import { knownNames } from "../../../src/policy/compare/catalogue.ts";
import { diffPolicies } from "../../../src/policy/compare/diff.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { describeWay, wayToAllow } from "../../../src/policy/explain/way-to-allow.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { toldCommands } from "../../../src/protocols/kubectl/patch-command.ts";
import { classifierFor } from "../../../src/protocols/registry.ts";
import { policyFrom } from "../../support/policy/policy-trees.ts";
import { requestOf } from "../request-of.ts";

const kubectl = classifierFor("kubectl");
const STRATEGIC = "application/strategic-merge-patch+json";
const WEB = "/apis/apps/v1/namespaces/a/deployments/web";
const NODE = "/api/v1/nodes/n";

function patched(path: string, body: string, type = STRATEGIC) {
  const headers = [["content-type", type]] as const;
  return kubectl.classify(requestOf(`PATCH https://k.example.com${path}`, { body, headers }));
}

const template = (spec: string) => `{"spec":{"template":{"spec":${spec}}}}`;
const RESTART =
  '{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-11-29T20:00:00Z"}}}}}';
const IMAGE =
  '{"$setElementOrder/containers":[{"name":"web"},{"name":"log"}],"containers":[{"image":"r/web:2","name":"web"}]}';

describe("a patch that one command sends is called so", () => {
  const rows: readonly (readonly [command: string, path: string, body: string])[] = [
    ["rollout restart deployments", WEB, RESTART],
    ["rollout restart statefulsets", WEB.replace("deployments", "statefulsets"), RESTART],
    ["rollout pause deployments", WEB, '{"spec":{"paused":true}}'],
    ["rollout resume deployments", WEB, '{"spec":{"paused":null}}'],
    ["set image deployments", WEB, template(IMAGE)],
    ["set image pods", "/api/v1/namespaces/a/pods/p", `{"spec":${IMAGE}}`],
    [
      "set image cronjobs",
      "/apis/batch/v1/namespaces/a/cronjobs/c",
      `{"spec":{"jobTemplate":{"spec":{"template":{"spec":${IMAGE}}}}}}`,
    ],
    [
      "set env deployments",
      WEB,
      template(
        '{"$setElementOrder/containers":[{"name":"web"}],"containers":[{"$setElementOrder/env":[{"name":"A"}],"env":[{"name":"A","value":"b"},{"$patch":"delete","name":"B"}],"name":"web"}]}',
      ),
    ],
    ["set env deployments", WEB, template('{"containers":[{"env":null,"name":"web"}]}')],
    [
      "set resources deployments",
      WEB,
      template('{"containers":[{"name":"web","resources":{"limits":{"cpu":"1"}}}]}'),
    ],
    ["set serviceaccount deployments", WEB, template('{"serviceAccount":"b","serviceAccountName":"b"}')],
    ["cordon", NODE, '{"spec":{"unschedulable":true}}'],
    ["uncordon", NODE, '{"spec":{"unschedulable":null}}'],
    ["taint", NODE, '{"spec":{"taints":[{"effect":"NoSchedule","key":"a","value":"b"}]}}'],
    ["taint", NODE, '{"spec":{"taints":null}}'],
  ];
  for (const [command, path, body] of rows)
    test(`${command}: ${body}`, () => {
      const found = patched(path, body);
      expect([found.command, found.tier]).toEqual([command, "modify"]);
      expect(found.aliases).toContain(`${path.split("/").at(-2)} patch`);
    });
});

describe("a patch that says more keeps the operation's name", () => {
  const rows: readonly (readonly [path: string, body: string, type?: string])[] = [
    [WEB, RESTART, "application/json-patch+json"],
    [WEB, RESTART, "application/apply-patch+yaml"],
    [WEB, RESTART, "application/merge-patch+json"],
    [WEB, RESTART, "application/json"],
    [WEB, template(IMAGE), "application/merge-patch+json"],
    [WEB, RESTART.replace('"spec":{"template"', '"spec":{"replicas":0,"template"')],
    [WEB, RESTART.replace("restartedAt", "default-container")],
    [WEB, RESTART.replace('Z"}', 'Z","$patch":"replace"}')],
    [WEB, RESTART.replace('"2026-11-29T20:00:00Z"', "null")],
    [WEB, RESTART.replace('{"spec"', '{"metadata":{"labels":{"a":"b"}},"spec"')],
    [WEB, template(IMAGE.replace('"image":"r/web:2"', '"command":["sh"],"image":"r/web:2"'))],
    [WEB, template(IMAGE.replace('"image":"r/web:2",', ""))],
    [WEB, template(IMAGE.replace('"containers":[{', '"hostNetwork":true,"containers":[{'))],
    [WEB, template('{"containers":[{"image":"x","name":"web","$patch":"replace"}]}')],
    [WEB, template('{"$setElementOrder/containers":[{"name":"web"}]}')],
    [WEB, template('{"containers":[]}')],
    [WEB, template('{"containers":[{"name":"web","resources":{"claims":[{"name":"gpu"}]}}]}')],
    [WEB, template('{"containers":[{"name":"web","resources":{"limits":{"$patch":"replace"}}}]}')],
    [WEB, '{"spec":{"paused":true,"paused":false}}'],
    [WEB, '{"spec":{"paused":"true"}}'],
    [WEB, "[]"],
    [WEB, "{}"],
    [`${WEB}/status`, RESTART],
    ["/apis/example.com/v1/namespaces/a/deployments/web", RESTART],
    [NODE, '{"spec":{"unschedulable":true,"podCIDR":"10.0.0.0/8"}}'],
    [NODE, '{"spec":{"taints":[{"$patch":"replace"}]}}'],
    [NODE, '{"Spec":{"unschedulable":true}}'],
    [NODE, `{"spec":{"unschedulable":true}}${" ".repeat(70_000)}`],
  ];
  for (const [path, body, type] of rows)
    test(`${path} ${type ?? ""} ${body.trim()}`, () => {
      expect(patched(path, body, type).command).toMatch(/^(?:deployments|nodes)\S* patch$/);
    });
});

function policyOf(action: string, ...commands: readonly string[]): Policy {
  const fallback = action === "allow" ? "escalate" : "allow";
  return policyFrom({ kubectl: { inspect: [], default: fallback, rules: { [action]: { commands } } } });
}

describe("a rule about such a command", () => {
  const whole = patched(WEB, '{"spec":{"replicas":0}}');
  const restart = patched(WEB, RESTART);
  const image = patched(WEB, template(IMAGE));
  const typed = (line: string) => kubectl.classifyArgv(line.split(" "));

  const rows: readonly (readonly [command: string, restart: string, image: string, whole: string])[] = [
    ["rollout restart deploy", "allow", "escalate", "escalate"],
    ["kubectl rollout restart", "allow", "escalate", "escalate"],
    ["rollout restart *", "allow", "escalate", "escalate"],
    ["set image deployment", "escalate", "allow", "escalate"],
    ["rollout restart sts", "escalate", "escalate", "escalate"],
    ["patch deployment", "allow", "allow", "allow"],
    ["deployments patch", "allow", "allow", "allow"],
  ];
  for (const [command, ...actions] of rows)
    test(`allowing '${command}' allows its own patch alone, of requests and of command lines`, () => {
      const policy = policyOf("allow", command);
      expect([restart, image, whole].map((one) => decide(policy, one).action as string)).toEqual([
        ...actions,
      ]);
      const lines = [
        "rollout restart deploy/web",
        "set image deploy web web=r/web:2",
        "patch deploy web -p {}",
      ];
      expect(lines.map((line) => decide(policy, typed(`kubectl ${line}`)).action as string)).toEqual([
        ...actions,
      ]);
    });

  test("denying or asking about it is about every patch, as before", () => {
    for (const command of [
      "rollout restart deploy",
      "set image deployment",
      "rollout restart",
      "deployments patch",
    ])
      for (const action of ["deny", "escalate"])
        for (const one of [restart, image, whole])
          expect(decide(policyOf(action, command), one).action as string).toBe(action);
  });

  test("a drain needs its own words alone", () => {
    const policy = policyOf("allow", "kubectl drain");
    const eviction = kubectl.classify(
      requestOf("POST https://k.example.com/api/v1/namespaces/a/pods/p/eviction"),
    );
    for (const one of [patched(NODE, '{"spec":{"unschedulable":true}}'), eviction, typed("kubectl drain n")])
      expect(decide(policy, one).action).toBe("allow");
    expect(decide(policy, patched(NODE, '{"spec":{"unschedulable":null}}')).action).toBe("escalate");
  });

  test("a refusal names it, and the rule that it names is enough", () => {
    const policy = policyOf("allow", "pods get");
    const way = describeWay(wayToAllow(policy, restart)) ?? "";
    expect(way).toContain("list 'rollout restart deployments' in kubectl.rules.allow.commands");
    expect(decide(policyOf("allow", "rollout restart deployments"), restart).action).toBe("allow");
    expect(decide(policyOf("allow", "rollout restart deployments"), image).action).toBe("escalate");
  });

  test("the comparison knows every one, and tells it apart from the whole patch", () => {
    for (const { command, types } of toldCommands())
      for (const type of types) {
        const [narrow, wide] = [policyOf("allow", `${command} ${type}`), policyOf("allow", `${type} patch`)];
        expect([
          command,
          type,
          diffPolicies(policyOf("allow", "pods get"), narrow, knownNames).isWider,
        ]).toEqual([command, type, true]);
        expect([command, type, diffPolicies(narrow, wide, knownNames).isWider]).toEqual([
          command,
          type,
          true,
        ]);
      }
  }, 100_000);
});
