// Reads test/policy/cases/*.yaml: `{ note, policy, cases: [{ request | classified, want, rule,
// line? }] }`. A request goes the whole way (route, classify, decide); `classified` stands in for
// the classifier where the policy's own rules are what is tested.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Classification } from "../../../src/model/classification.ts";
import type { HttpRequest } from "../../../src/model/request.ts";
import type { Judgement } from "../../../src/model/verdict.ts";
import { judge } from "../../../src/policy/decide/judge.ts";
import { routeOf } from "../../../src/policy/decide/route.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import type { Classifier } from "../../../src/protocols/classifier.ts";

/** One row of a case file. */
export interface PolicyCase {
  readonly note?: string;
  readonly request?: string;
  readonly classified?: Partial<Classification>;
  readonly want: "allow" | "escalate" | "deny" | "splice";
  readonly rule?: string;
  readonly line?: number;
}

/** One case file. */
export interface PolicyCases {
  readonly note: string;
  /** The text of a policy, or `default`. */
  readonly policy: string;
  readonly cases: readonly PolicyCase[];
}

/** Every case file, by name. */
export function readPolicyCases(): readonly (readonly [name: string, cases: PolicyCases])[] {
  const folder = join(import.meta.dir, "../../policy/cases");
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .sort();
  return names.map((name) => [name, parse(readFileSync(join(folder, name), "utf8")) as PolicyCases]);
}

/** The policy of a text that must parse. */
export function policyOf(text: string): Policy {
  const parsed = parsePolicy(text);
  if ("policy" in parsed) return parsed.policy;
  throw new Error(
    parsed.problems.map((one) => `${one.line}:${one.column} ${one.path} ${one.message}`).join("\n"),
  );
}

/** A classification with everything that a row leaves out. */
export function classificationOf(row: Partial<Classification>): Classification {
  const base: Classification = {
    protocol: "generic",
    tier: "unknown",
    command: "",
    aliases: [],
    labels: {},
    reason: "a test",
  };
  const { parts, ...rest } = row;
  return { ...base, ...rest, ...(parts === undefined ? {} : { parts: parts.map(classificationOf) }) };
}

/** A classifier that always gives this answer. */
export function classifierOf(answer: Classification | Error): Classifier {
  const give = (): Classification => {
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return {
    protocol: answer instanceof Error ? "generic" : answer.protocol,
    covers: "made up",
    scopes: [],
    programs: [],
    needsBody: () => {
      if (answer instanceof Error) throw answer;
      return false;
    },
    classify: give,
    classifyArgv: give,
  };
}

/** Judges `METHOD https://host[:port]/path`; undefined when nothing inspects the host. */
export function judgeLine(policy: Policy, line: string): Judgement | undefined {
  const [method = "", url = ""] = line.split(" ");
  const [, host = "", port = "443", target = "/"] = /^https:\/\/([^/:]+)(?::(\d+))?(\/.*)?$/.exec(url) ?? [];
  const destination = { host, port: Number(port) };
  const route = routeOf(policy, destination);
  const request: HttpRequest = { ...destination, method, target, headers: [], body: { kind: "none" } };
  return route && judge(policy, [route.protocol], request);
}
