// Everything that iddio prints about a request or a command line can be written into a policy, is
// accepted there, and fires: over the classification cases. And what the comparisons take for a
// request is one that can be sent.

import { describe, expect, test } from "bun:test";
import type { Protocol } from "../../../src/model/protocol.ts";
import { isProtocol } from "../../../src/model/protocol.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { type CommandSelector, compileCommand } from "../../../src/policy/decide/rule-table.ts";
import { policyNamesOf } from "../../../src/policy/lint/command-line.ts";
import { commandProblem } from "../../../src/policy/lint/known-commands.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { classifierFor, classifierForProgram } from "../../../src/protocols/registry.ts";
import { strangeNames } from "../../support/policy/carried-names.ts";
import { policyFrom } from "../../support/policy/policy-trees.ts";
import { requestOfCase } from "../../truth/additions.ts";
import { type Case, CORPORA, readCorpus } from "../../truth/corpora.ts";

function denying(protocol: Protocol, commands: readonly string[]): Policy {
  const block = { inspect: [], default: "allow", rules: { deny: { commands } } };
  return policyFrom({ [protocol]: block });
}

function compiled(protocol: Protocol, text: string): CommandSelector {
  const command = compileCommand(protocol, text);
  if ("problem" in command) throw new Error(`${text}: ${command.problem}`);
  return command;
}

const LINES: readonly Case[] = CORPORA.flatMap(readCorpus)
  .filter(({ argv }) => argv !== undefined)
  .filter(({ protocol }, index) => protocol !== "aws" || index % 5 === 0);

describe("what 'classify cli' prints", () => {
  for (const name of [
    "kubectl",
    "gcloud",
    "aws",
    "github",
    "terraform",
    "helm",
    "cloudflare",
    "fly",
  ] as const)
    test(`of ${name} is accepted in a policy and fires for the command line and for the requests`, () => {
      const wrong: string[] = [];
      let tried = 0;
      const seen = new Set<string>();
      for (const { argv = [], protocol } of LINES) {
        if (protocol !== name) continue;
        const classification = classifierForProgram(argv[0] ?? "")?.classifyArgv(argv);
        if (classification === undefined || classification.tier === "unknown") continue;
        if (classification.command === "" || classification.protocol !== name) continue;
        const { command } = classification;
        const { requests, also } = policyNamesOf(argv, classification);
        for (const text of [command, ...requests, ...(also === undefined ? [] : [also])]) {
          const key = `${command} ${text}`;
          if (seen.has(key)) continue;
          seen.add(key);
          tried += 1;
          const selector = compiled(name, text);
          const problem = commandProblem(name, selector);
          if (problem?.severity === "error") wrong.push(`${argv.join(" ")}: '${text}': ${problem.message}`);
          const isAbout = (one: string) => selector.globs.some((glob) => glob.test(one.toLowerCase()));
          const names = text === command ? [command, ...requests] : text === also ? [] : [text];
          for (const one of names)
            if (!one.includes("*") && !isAbout(one)) wrong.push(`'${text}' is not about '${one}'`);
          if (text === also && ![command, ...classification.aliases].some(isAbout))
            wrong.push(`'${text}' is not about '${argv.join(" ")}'`);
        }
      }
      expect(wrong.slice(0, 20)).toEqual([]);
      expect(tried).toBeGreaterThan(5);
    }, 120_000);

  test("denies the command line itself", () => {
    for (const { argv = [], protocol } of LINES.filter((_, index) => index % 97 === 0)) {
      if (!isProtocol(protocol)) continue;
      const classification = classifierForProgram(argv[0] ?? "")?.classifyArgv(argv);
      if (classification === undefined || classification.tier === "unknown") continue;
      if (classification.command === "") continue;
      const policy = denying(classification.protocol, [classification.command]);
      expect(`${argv.join(" ")}: ${decide(policy, classification).action}`).toBe(`${argv.join(" ")}: deny`);
    }
  }, 120_000);
});

describe("a spelling of kubectl's own", () => {
  const TYPED = ["get", "describe", "delete", "create", "patch", "edit", "label", "annotate", "scale"];
  const COMMANDS =
    `create token|create secret generic|create secret tls|create secret docker-registry|create configmap|create namespace
    create role|create clusterrole|create rolebinding|create clusterrolebinding|create serviceaccount|create job
    create cronjob|create deployment|create service clusterip|create quota|create ingress|create pdb|create priorityclass
    run|expose deployment|autoscale deployment|certificate approve|certificate deny|top pods|top nodes
    rollout restart deployment|rollout undo deployment|rollout pause deployment|rollout resume deployment
    rollout status deployment|set image deployment|set env deployment|set resources deployment|drain|cordon|uncordon
    taint nodes|cp|debug|attach|exec|port-forward|auth reconcile|auth can-i|auth whoami|events|logs`
      .split(/\s*[|\n]\s*/)
      .filter((command) => command !== "");
  const TYPES = ["pods", "secret", "secrets", "cm", "deploy", "sts", "nodes", "ingress", "jobs", "all"];

  const selected = (text: string) => {
    const { globs } = compiled("kubectl", text);
    return (name: string) => globs.some((glob) => glob.test(name.toLowerCase()));
  };

  test("is about every request that kubectl is known to send for that command line", () => {
    const wrong: string[] = [];
    for (const text of [...COMMANDS, ...TYPED.flatMap((verb) => TYPES.map((type) => `${verb} ${type}`))])
      for (const spelled of [text, `kubectl ${text}`]) {
        if (commandProblem("kubectl", compiled("kubectl", spelled)) !== undefined)
          wrong.push(`'${spelled}' is not taken`);
        const isAbout = selected(spelled);
        for (const flags of [[], ["x"], ["-w"], ["x", "--all"]]) {
          const argv = ["kubectl", ...text.split(" "), ...flags];
          const sent = classifierForProgram("kubectl")?.classifyArgv(argv);
          if (sent === undefined || sent.tier === "unknown" || sent.command === "help") continue;
          const names = [sent.command, ...sent.aliases];
          if (!names.some(isAbout))
            wrong.push(`'${spelled}' is not about ${argv.join(" ")}: ${names.join()}`);
        }
      }
    expect(wrong).toEqual([]);
  });

  test("without its type is about every type", () => {
    for (const verb of TYPED.filter((each) => each !== "scale"))
      for (const spelled of [verb, `kubectl ${verb}`, `kubectl ${verb} *`]) {
        const api = /^(?:edit|label|annotate)$/.test(verb) ? "patch" : verb === "describe" ? "get" : verb;
        for (const type of ["pods", "secrets", "widgets"])
          expect([spelled, type, selected(spelled)(`${type} ${api}`)]).toEqual([spelled, type, true]);
      }
  });
});

test("every request of the cases is called by a name that the comparisons know", () => {
  const strange = new Map<string, string>();
  // Every third: the names of a service are much alike.
  for (const each of CORPORA.flatMap(readCorpus).filter((_, index) => index % 3 === 0)) {
    if (each.argv !== undefined || !isProtocol(each.protocol)) continue;
    const request = requestOfCase(each);
    if (request === undefined) continue;
    for (const name of strangeNames(classifierFor(each.protocol).classify(request)))
      strange.set(`${each.protocol} ${name}`, each.id);
  }
  expect([...strange].slice(0, 40)).toEqual([]);
}, 120_000);
