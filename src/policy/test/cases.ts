// Reads policy.test.yaml: the wanted answers for requests, command lines and bare operations.
// Unknown keys are errors with their place: a case with a misspelt key would test less than its
// author thinks.

import { ACTIONS, type Action } from "../../model/action.ts";
import type { Classification } from "../../model/classification.ts";
import { PROTOCOLS, type Protocol } from "../../model/protocol.ts";
import { TIERS, type TierOrUnknown } from "../../model/tier.ts";
import { splitUrl } from "../../protocols/batch.ts";
import { shellWords } from "../../text/shell-words.ts";
import { unheardOfName } from "../lint/known-commands.ts";
import { type PolicyProblem, type Position, Problems } from "../parse/problems.ts";
import { readYaml } from "../parse/read-yaml.ts";
import { asMap, describeTree, type Field, quote, readFields, readTexts, readWord } from "../parse/shape.ts";
import type { Tree } from "../parse/yaml-tree.ts";

/** A case's input: a command line or a request. */
export type Given =
  | { readonly kind: "argv"; readonly argv: readonly string[] }
  | {
      readonly kind: "request";
      readonly method: string;
      readonly host: string;
      readonly port: number;
      readonly target: string;
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly body: string | undefined;
    }
  | { readonly kind: "ask"; readonly ask: Classification };

/** A case's expected answer; `splice` means that the host is not inspected. */
export interface Wanted {
  readonly action: Action | "splice";
  readonly tier?: TierOrUnknown;
  /** Path of the deciding rule, or of a block that it is in: `kubectl.namespaces[0]`. */
  readonly rule?: string;
}

/** One case with its place in the file. */
export interface PolicyTest {
  readonly note: string;
  readonly at: Position;
  readonly given: Given;
  readonly want: Wanted;
}

/** The cases, or everything that is wrong with the file. */
export type ParsedTests =
  | { readonly tests: readonly PolicyTest[] }
  | { readonly problems: readonly PolicyProblem[] };

/** Cases in one file at most. */
export const MAX_TESTS = 10_000;

/** Reads a file of at most 1 MiB. Never throws. */
export function parsePolicyTests(text: string): ParsedTests {
  const problems = new Problems();
  const tree = readYaml(text, problems);
  const tests: PolicyTest[] = [];
  if (tree !== undefined && tree.kind !== "list")
    problems.error(
      tree.at,
      "",
      `the file must be a list of cases, not ${describeTree(tree)}`,
      "begin each case with - note:",
    );
  if (tree?.kind === "list") {
    if (tree.items.length > MAX_TESTS)
      problems.error(tree.at, "", `the file has more than ${MAX_TESTS} cases`, "split it");
    tree.items.slice(0, MAX_TESTS).forEach((item, index) => {
      const test = parseTest(item, `[${index}]`, problems);
      if (test !== undefined) tests.push(test);
    });
  }
  return problems.hasErrors || tree === undefined ? { problems: problems.sorted() } : { tests };
}

function parseTest(item: Tree, path: string, problems: Problems): PolicyTest | undefined {
  const map = asMap(item, path, "a case", problems);
  if (map === undefined) return undefined;
  const fields = readFields(map, path, ["note", "given", "want"], problems);
  const [givenField, wantField] = [fields.get("given"), fields.get("want")];
  if (givenField === undefined)
    problems.error(map.at, path, "the case has no 'given'", "add given: { argv: kubectl get pods }");
  if (wantField === undefined)
    problems.error(map.at, path, "the case has no 'want'", "add want: { action: allow }");
  const given = givenField && parseGiven(givenField, problems);
  const want = wantField && parseWant(wantField, problems);
  if (given === undefined || want === undefined) return undefined;
  return { note: readText(fields.get("note"), problems) ?? describeGiven(given), at: map.at, given, want };
}

/** A case in a few words, for reports of cases without a note. */
export function describeGiven(given: Given): string {
  if (given.kind === "argv") return given.argv.join(" ");
  if (given.kind === "ask") return `${given.ask.protocol} ${given.ask.command} (${given.ask.tier})`;
  const port = given.port === 443 ? "" : `:${given.port}`;
  return `${given.method} https://${given.host}${port}${given.target}`;
}

function parseGiven(field: Field, problems: Problems): Given | undefined {
  const map = asMap(field.value, field.path, "'given'", problems);
  if (map === undefined) return undefined;
  const fields = readFields(map, field.path, ["argv", "request", "ask"], problems);
  const [only, second] = [...fields];
  if (only === undefined || second !== undefined) {
    problems.error(map.at, field.path, "'given' must hold exactly one of argv, request and ask");
    return undefined;
  }
  const [kind, value] = only;
  if (kind === "argv") return parseArgvGiven(value, problems);
  return kind === "request" ? parseRequest(value, problems) : parseAsk(value, problems);
}

function parseArgvGiven(field: Field, problems: Problems): Given | undefined {
  if (field.value.kind !== "text") {
    const argv = readTexts(field, "a word", problems).map(({ item }) => item.text);
    if (argv.length === 0) problems.error(field.keyAt, field.path, "the command line is empty");
    return { kind: "argv", argv };
  }
  const words = shellWords(field.value.text);
  if ("problem" in words) {
    problems.error(
      field.value.at,
      field.path,
      `the command line cannot be read: ${words.problem}`,
      "write it as a list of words",
    );
    return undefined;
  }
  if (words.length === 0) problems.error(field.keyAt, field.path, "the command line is empty");
  return { kind: "argv", argv: words };
}

function parseRequest(field: Field, problems: Problems): Given | undefined {
  if (field.value.kind === "text") {
    const [, method, url] = /^(\S+)\s+(\S+)$/.exec(field.value.text) ?? [];
    if (method !== undefined && url !== undefined)
      return requestOf(field, method, url, [], undefined, problems);
    problems.error(
      field.value.at,
      field.path,
      `${quote(field.value.text)} is not a request`,
      "write METHOD https://host/path",
    );
    return undefined;
  }
  const map = asMap(field.value, field.path, "a request", problems);
  if (map === undefined) return undefined;
  const fields = readFields(map, field.path, ["method", "url", "headers", "body"], problems);
  const [method, url] = [readText(fields.get("method"), problems), readText(fields.get("url"), problems)];
  if (method === undefined || url === undefined) {
    problems.error(map.at, field.path, "the request needs a method and a url");
    return undefined;
  }
  return requestOf(
    field,
    method,
    url,
    readPairs(fields.get("headers"), problems),
    readText(fields.get("body"), problems),
    problems,
  );
}

function requestOf(
  field: Field,
  method: string,
  url: string,
  headers: readonly (readonly [string, string])[],
  body: string | undefined,
  problems: Problems,
): Given | undefined {
  const split = splitUrl(url);
  if ("problem" in split) {
    problems.error(field.value.at, field.path, split.problem, "write https://host/path");
    return undefined;
  }
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method)) {
    problems.error(field.value.at, field.path, `${quote(method)} is not an HTTP method`);
    return undefined;
  }
  return { kind: "request", method, ...split, headers, body };
}

function parseAsk(field: Field, problems: Problems): Given | undefined {
  const ask = parseClassification(field, undefined, problems);
  return ask && { kind: "ask", ask };
}

const ASK_KEYS = [
  "protocol",
  "tier",
  "command",
  "labels",
  "aliases",
  "unnamed_scopes",
  "spanned_scopes",
  "parts",
] as const;

/** An operation as a row has it; a part is of the outer protocol unless it says another. */
function parseClassification(
  field: Field,
  outer: Protocol | undefined,
  problems: Problems,
): Classification | undefined {
  const map = asMap(field.value, field.path, "an ask", problems);
  if (map === undefined) return undefined;
  const fields = readFields(map, field.path, ASK_KEYS, problems);
  const [protocolField, tierField] = [fields.get("protocol"), fields.get("tier")];
  if ((protocolField === undefined && outer === undefined) || tierField === undefined) {
    problems.error(map.at, field.path, "the ask needs a protocol and a tier");
    return undefined;
  }
  const protocol =
    protocolField === undefined
      ? outer
      : readWord(protocolField.value, protocolField.path, "a protocol", PROTOCOLS, problems);
  const tier = readWord(tierField.value, tierField.path, "a tier", [...TIERS, "unknown" as const], problems);
  if (protocol === undefined || tier === undefined) return undefined;
  const names = (key: (typeof ASK_KEYS)[number]) => {
    const list = fields.get(key);
    return list === undefined ? undefined : readTexts(list, "a name", problems).map(({ item }) => item.text);
  };
  const command = readText(fields.get("command"), problems) ?? "";
  const commandField = fields.get("command");
  // A row with other names or parts was read from a request, whatever that is called.
  const isTyped = command !== "" && tier !== "unknown" && !fields.has("aliases") && !fields.has("parts");
  const misspelt = isTyped ? unheardOfName(protocol, command) : undefined;
  if (misspelt !== undefined && commandField !== undefined)
    problems.error(commandField.value.at, commandField.path, misspelt.message, misspelt.hint);
  const [unnamedScopes, spannedScopes] = [names("unnamed_scopes"), names("spanned_scopes")];
  const parts = parseParts(fields.get("parts"), protocol, problems);
  return {
    protocol,
    tier,
    command,
    aliases: names("aliases") ?? [],
    labels: Object.fromEntries(readPairs(fields.get("labels"), problems)),
    ...(unnamedScopes === undefined ? {} : { unnamedScopes }),
    ...(spannedScopes === undefined ? {} : { spannedScopes }),
    ...(parts.length === 0 ? {} : { parts }),
    reason: "as given",
  };
}

function parseParts(
  field: Field | undefined,
  protocol: Protocol,
  problems: Problems,
): readonly Classification[] {
  if (field === undefined) return [];
  if (field.value.kind !== "list") {
    problems.error(field.value.at, field.path, `'parts' must be a list, not ${describeTree(field.value)}`);
    return [];
  }
  return field.value.items.flatMap((value, index) => {
    const part = { keyAt: value.at, value, path: `${field.path}[${index}]` };
    return parseClassification(part, protocol, problems) ?? [];
  });
}

function parseWant(field: Field, problems: Problems): Wanted | undefined {
  const map = asMap(field.value, field.path, "'want'", problems);
  if (map === undefined) return undefined;
  const fields = readFields(map, field.path, ["action", "tier", "rule"], problems);
  const [actionField, tierField] = [fields.get("action"), fields.get("tier")];
  if (actionField === undefined) {
    problems.error(map.at, field.path, "the case wants no 'action'", `one of: ${ACTIONS.join(", ")}, splice`);
    return undefined;
  }
  const action = readWord(
    actionField.value,
    actionField.path,
    "an action",
    [...ACTIONS, "splice" as const],
    problems,
  );
  const tier =
    tierField &&
    readWord(tierField.value, tierField.path, "a tier", [...TIERS, "unknown" as const], problems);
  const rule = readText(fields.get("rule"), problems);
  if (action === undefined) return undefined;
  return { action, ...(tier === undefined ? {} : { tier }), ...(rule === undefined ? {} : { rule }) };
}

function readText(field: Field | undefined, problems: Problems): string | undefined {
  if (field === undefined) return undefined;
  if (field.value.kind === "text") return field.value.text;
  problems.error(field.value.at, field.path, `this must be a text, not ${describeTree(field.value)}`);
  return undefined;
}

function readPairs(field: Field | undefined, problems: Problems): readonly (readonly [string, string])[] {
  if (field === undefined) return [];
  const map = asMap(field.value, field.path, "this", problems);
  return [...(map?.entries ?? [])].flatMap(([key, { keyAt, value }]) => {
    const text = readText({ keyAt, value, path: `${field.path}.${key}` }, problems);
    return text === undefined ? [] : [[key, text] as const];
  });
}
