// The AWS operations whose effect is written in the body: SQL and PartiQL, and batches of writes
// among which may be deletions. Serves requests and command lines: the same rule reads a body,
// `--cli-input-json` and the flags.

import type { RequestBody } from "../../model/request.ts";
import type { Tier } from "../../model/tier.ts";
import { parseStrictJson } from "../../wire/jsonrpc/strict-json.ts";
import { judgeSql } from "../sql.ts";
import { type AwsOperation, cliOperationName } from "./catalogue.ts";
import {
  haveTellingMembers,
  isTellingFlag,
  TELLING_MEMBERS,
  type TellingMembers,
} from "./telling-members.ts";

/** A tier in place of the operation's own, or why it is not known. */
export type AwsBodyFinding = { readonly tier: Tier; readonly reason: string } | { readonly doubt: string };

/** `sql`: these members hold SQL. `deletion`: a member of this name among the writes deletes. `text`: XML that deletes. `members`: they do more than the others. */
type Rule =
  | { readonly sql: readonly string[] }
  | { readonly deletion: RegExp; readonly depth: number }
  | { readonly text: RegExp; readonly words: RegExp }
  | TellingMembers;

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...TELLING_MEMBERS,
  ["athena:StartQueryExecution", { sql: ["QueryString"] }],
  ["redshift-data:ExecuteStatement", { sql: ["Sql"] }],
  ["redshift-data:BatchExecuteStatement", { sql: ["Sqls"] }],
  ["rds-data:ExecuteStatement", { sql: ["sql"] }],
  ["rds-data:BatchExecuteStatement", { sql: ["sql"] }],
  ["rds-data:ExecuteSql", { sql: ["sqlStatements"] }],
  ["dynamodb:ExecuteStatement", { sql: ["Statement"] }],
  ["dynamodb:BatchExecuteStatement", { sql: ["Statement"] }],
  ["dynamodb:ExecuteTransaction", { sql: ["Statement"] }],
  ["timestream-query:Query", { sql: ["QueryString"] }],
  ["timestream-query:PrepareQuery", { sql: ["QueryString"] }],
  ["neptune-graph:ExecuteQuery", { sql: ["query", "queryString"] }],
  ["neptunedata:ExecuteOpenCypherQuery", { sql: ["openCypherQuery", "query"] }],
  ["neptunedata:ExecuteGremlinQuery", { sql: ["gremlinQuery", "gremlin"] }],
  ["dynamodb:BatchWriteItem", { deletion: /^DeleteRequest$/, depth: 4 }],
  ["dynamodb:TransactWriteItems", { deletion: /^Delete$/, depth: 3 }],
  ["cloudfront-keyvaluestore:UpdateKeys", { deletion: /^Deletes$/, depth: 1 }],
  [
    "route53:ChangeResourceRecordSets",
    {
      // Whatever is not plainly one of the other two, entities and CDATA included.
      text: /<(?:\w+:)?Action\b[^>]*>(?!\s*(?:CREATE|UPSERT)\s*<)/,
      words: /\bAction["']?\s*[=:]\s*["']?DELETE/,
    },
  ],
]);

const APIS: ReadonlySet<string> = new Set([...RULES.keys()].map((key) => key.slice(0, key.indexOf(":"))));

/** Whether any operation of these APIs is judged by its body; spares the others the look-up. */
export function haveBodyRules(apis: readonly { readonly cli: string }[]): boolean {
  return apis.some((api) => APIS.has(api.cli));
}

function ruleOf({ api, name }: AwsOperation): Rule | undefined {
  return RULES.get(`${api.cli}:${name}`);
}

const COMMANDS: ReadonlySet<string> = new Set(
  [...RULES.keys()].map((key) => {
    const [api = "", name = ""] = key.split(":");
    return `${api} ${cliOperationName(name)}`;
  }),
);

/** Whether the operation that rules call so is judged by its body. */
export function isCommandJudgedByBody(command: string): boolean {
  return COMMANDS.has(command);
}

/** Whether one of these operations is judged by its body. */
export function isAwsJudgedByBody(operations: readonly AwsOperation[]): boolean {
  return operations.some((operation) => ruleOf(operation) !== undefined);
}

/**
 * Judges the body of an operation, and the query if the parameters may stand there; undefined if they change
 * nothing.
 */
export function judgeAwsBody(
  operation: AwsOperation,
  body: RequestBody,
  query: string | undefined,
): AwsBodyFinding | undefined {
  const rule = ruleOf(operation);
  if (rule === undefined) return undefined;
  if (body.kind === "unread") return { doubt: `the body decides, and ${body.why}` };
  const text = body.kind === "none" ? "" : new TextDecoder().decode(body.bytes);
  if ("members" in rule) {
    const tells = haveTellingMembers(rule, text, query);
    if (tells === undefined) return { doubt: "the body decides, and it cannot be read" };
    return tells ? { tier: "break-glass", reason: rule.reason } : undefined;
  }
  if (body.kind === "none") return undefined;
  if ("text" in rule) return rule.text.test(text) ? DELETES : undefined;
  const parsed = parseStrictJson(text);
  if ("problem" in parsed) return { doubt: `the body decides, and ${parsed.problem}` };
  if ("sql" in rule) return judgeSql(textsIn(parsed.value, rule.sql));
  return deletes(parsed.value, rule) ? DELETES : undefined;
}

const DELETES: AwsBodyFinding = { tier: "sensitive", reason: "deletes among its writes" };

/** The strings, and lists of strings, that are members of these names. */
function textsIn(value: unknown, names: readonly string[]): string[] {
  const found: string[] = [];
  // A server that takes a name in any case would run the text under another spelling.
  const lowered = names.map((name) => name.toLowerCase());
  const visit = (one: unknown, depth: number): void => {
    if (typeof one !== "object" || one === null || depth > 4) return;
    if (Array.isArray(one)) for (const item of one) visit(item, depth + 1);
    else
      for (const [name, member] of Object.entries(one))
        if (lowered.includes(name.toLowerCase()))
          found.push(...[member].flat().filter((text) => typeof text === "string"));
        else visit(member, depth + 1);
  };
  visit(value, 0);
  return found;
}

function deletes(value: unknown, rule: DeletionRule): boolean {
  const visit = (one: unknown, depth: number): boolean => {
    if (typeof one !== "object" || one === null || depth >= rule.depth) return false;
    return Array.isArray(one)
      ? one.some((item) => visit(item, depth + 1))
      : Object.entries(one).some(([name, member]) => rule.deletion.test(name) || visit(member, depth + 1));
  };
  return visit(value, 0);
}

/** Judges the words after an operation of the CLI; a file that they name is judged when its request comes. */
export function judgeAwsWords(operation: AwsOperation, words: readonly string[]): AwsBodyFinding | undefined {
  const rule = ruleOf(operation);
  if (rule === undefined) return undefined;
  const values = flagsOf(words);
  if ("members" in rule)
    return values.some(([flag, value]) => isTellingFlag(rule, flag, value))
      ? { tier: "break-glass", reason: rule.reason }
      : undefined;
  if ("text" in rule) return values.some(([, value]) => rule.words.test(value)) ? DELETES : undefined;
  if (!("sql" in rule)) return values.some(([, value]) => mayDelete(value, rule)) ? DELETES : undefined;
  const found = judgeSql(values.flatMap(([flag, value]) => sqlIn(flag, value, rule.sql)));
  const isInFile = values.some(([, value]) => /^fileb?:\/\//.test(value));
  return isInFile && found?.tier === "observe" ? undefined : found;
}

type DeletionRule = Extract<Rule, { deletion: RegExp }>;

/** As JSON, or in the CLI's shorthand: `Delete={Key=…}`. */
function mayDelete(value: string, rule: DeletionRule): boolean {
  const parsed = parseStrictJson(value);
  return "problem" in parsed ? /\bDelete(?:Request)?["']?\s*[=:]/.test(value) : deletes(parsed.value, rule);
}

function sqlIn(flag: string, value: string, names: readonly string[]): readonly string[] {
  const parsed = /^\s*[[{]/.test(value) ? parseStrictJson(value) : undefined;
  if (parsed !== undefined && "value" in parsed) return textsIn(parsed.value, names);
  if (isSqlFlag(flag, names)) return [value];
  // In the CLI's shorthand: `Statement=DELETE FROM t`.
  const shorthand = /\bStatement=([\s\S]*)$/.exec(value)?.[1];
  return shorthand === undefined ? [] : [shorthand];
}

/** `--sqls` for `Sqls`, as the CLI spells members. */
function isSqlFlag(flag: string, names: readonly string[]): boolean {
  return names.some(
    (name) => cliOperationName(name) === flag || name.toLowerCase() === flag.replaceAll("-", ""),
  );
}

/** Flags with each of their values. */
function flagsOf(words: readonly string[]): readonly (readonly [flag: string, value: string])[] {
  const found: [string, string][] = [];
  let flag = "";
  for (const word of words) {
    const match = /^--([a-z][\w-]*)(?:=([\s\S]*))?$/.exec(word);
    if (match === null) found.push([flag, word]);
    else {
      flag = match[1] ?? "";
      if (match[2] !== undefined) found.push([flag, match[2]]);
    }
  }
  return found;
}
