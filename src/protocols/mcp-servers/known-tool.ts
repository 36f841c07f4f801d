// Tools of servers that are known well: what each does, by a table that a person has bound to the
// server. A tool with a fixed tier has it; one that wraps an API is classified as the request or
// command line that it makes. An argument that the table does not name may change everything, so
// the call is then unknown.

import type { Classification } from "../../model/classification.ts";
import { isProtocol } from "../../model/protocol.ts";
import { isTier, type Tier } from "../../model/tier.ts";
import { isObject, type JsonObject } from "../../wire/jsonrpc/message.ts";
import { type McpCall, subjectOf } from "../mcp/call.ts";
import { nameOfCall } from "../mcp/classify-call.ts";
import { classifierFor, classifierForProgram } from "../registry.ts";
import { classifyScript } from "../shell/classify-script.ts";
import table from "./known-tools.tsv" with { type: "text" };

/** One row of the table. */
export interface KnownTool {
  /** `tier`, `argv`, `http` or `script`. */
  readonly how: string;
  readonly text: string;
  /** Arguments that change nothing that matters. */
  readonly ignored: readonly string[];
  readonly why: string;
}

let tables: ReadonlyMap<string, ReadonlyMap<string, KnownTool>> | undefined;

/** The tables by name, each by tool. */
export function knownTables(): ReadonlyMap<string, ReadonlyMap<string, KnownTool>> {
  tables ??= readTables(table);
  return tables;
}

function readTables(text: string): ReadonlyMap<string, ReadonlyMap<string, KnownTool>> {
  const found = new Map<string, Map<string, KnownTool>>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [server = "", tool = "", how = "", what = "", ignored = "", why = ""] = line.split("\t");
    const known = found.get(server) ?? new Map<string, KnownTool>();
    found.set(server, known);
    known.set(tool, { how, text: what, ignored: ignored === "" ? [] : ignored.split(" "), why });
  }
  return found;
}

/**
 * Classifies a call of a tool in the table: MCP's reading, then the effect at its service. Undefined: not in
 * the table.
 */
export function classifyKnownTool(name: string, call: McpCall): readonly Classification[] | undefined {
  const known = knownTables().get(name)?.get(subjectOf(call));
  if (known === undefined) return undefined;
  const named = nameOfCall(call);
  const own = (tier: Tier | "unknown", reason: string): Classification => ({
    protocol: "mcp",
    tier,
    reason,
    ...named,
  });
  const args = call.params.arguments ?? {};
  if (!isObject(args)) return [own("unknown", "its arguments are no object")];
  const wrapped = classifyWrapped(known, args);
  if (typeof wrapped === "string")
    return isTier(wrapped) ? [own(wrapped, known.why)] : [own("unknown", wrapped)];
  // MCP's own block sees the tier of the real effect, so that `servers:` and `tools:` can say something about
  // it.
  return [own(wrapped.tier, wrapped.reason), wrapped];
}

/** A tier; or a classification; or why there is none. */
function classifyWrapped({ how, text, ignored, why }: KnownTool, args: JsonObject): Classification | string {
  if (how === "tier") return isTier(text) ? text : why;
  const used = new Set(ignored);
  const words = text.split(" ");
  const filled: string[] = [];
  for (const word of words) {
    const value = fill(word, args, used, how);
    if ("problem" in value) return value.problem;
    filled.push(...value.words);
  }
  const stranger = Object.keys(args).find((name) => !used.has(name));
  if (stranger !== undefined) return `the argument '${stranger.slice(0, 40)}' is not known`;
  if (how === "argv") {
    const classifier = classifierForProgram(filled[0] ?? "");
    return classifier === undefined ? `no protocol reads '${filled[0]}'` : classifier.classifyArgv(filled);
  }
  if (how === "script") return scriptOf(filled.join(" "));
  return requestOf(filled);
}

/** Signs by which a shell would do more than run one program. */
const MORE_THAN_ONE = /[<>|;&`$()\\\n\r]/;

function scriptOf(text: string): Classification | string {
  if (MORE_THAN_ONE.test(text)) return "it may be more than one command line";
  const parts = classifyScript(text);
  const [only] = parts;
  return only !== undefined && parts.length === 1 && only.isSure
    ? only.classification
    : (parts.find(({ classification }) => classification.tier === "unknown")?.classification ??
        "what the command line does is not known");
}

/** `github GET api.github.com /repos/…` as that protocol reads it. */
function requestOf([protocol = "", method = "", host = "", target = "", body]: readonly string[]):
  | Classification
  | string {
  if (!isProtocol(protocol)) return `'${protocol}' is no protocol`;
  const bytes = body === undefined ? undefined : new TextEncoder().encode(body);
  return classifierFor(protocol).classify({
    method,
    host,
    port: 443,
    target,
    headers: bytes === undefined ? [] : [["content-type", "application/json"]],
    body: bytes === undefined ? { kind: "none" } : { kind: "whole", bytes },
  });
}

/**
 * One word of the text: `{name}` is an argument that must be there, `[--flag={name}]` is left out without it, `{name*}`
 * is a list, one word each. In a request's path a value is one segment.
 */
function fill(
  word: string,
  args: JsonObject,
  used: Set<string>,
  how: string,
): { readonly words: readonly string[] } | { readonly problem: string } {
  const isOptional = word.startsWith("[") && word.endsWith("]");
  const inner = isOptional ? word.slice(1, -1) : word;
  const names = [...inner.matchAll(/\{(\w+)\*?\}/g)].map(([, name = ""]) => name);
  for (const name of names) used.add(name);
  const missing = names.find((name) => args[name] === undefined || args[name] === null || args[name] === "");
  if (missing !== undefined)
    return isOptional ? { words: [] } : { problem: `the argument '${missing}' is missing` };
  const list = /^\{(\w+)\*\}$/.exec(inner)?.[1];
  if (list !== undefined) {
    const values = args[list];
    if (!Array.isArray(values) || !values.every((value) => typeof value === "string"))
      return { problem: `the argument '${list}' is no list of texts` };
    return { words: values as string[] };
  }
  let problem: string | undefined;
  const text = inner.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = args[name];
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
      problem = `the argument '${name}' is no text`;
      return "";
    }
    const plain = String(value);
    // A word that begins with a dash would be a flag of the program.
    if (how === "argv" && inner === whole && plain.startsWith("-"))
      problem = `the argument '${name}' begins with a dash`;
    return how === "http" ? encodeURIComponent(plain) : plain;
  });
  return problem === undefined ? { words: [text] } : { problem };
}
