// The part of a classification that a row keeps, so that the same request can be decided again
// exactly: everything that decide looks at, and the version that classified it. Names only, never a
// value of a request. Writing and reading stand together, because a fact that only one of them
// knows makes replay wrong.

import { AGENT_LABEL } from "../../model/agent-label.ts";
import type { Classification } from "../../model/classification.ts";
import type { EntryFields } from "../../model/entry.ts";
import { isProtocol, type Protocol } from "../../model/protocol.ts";
import { TIERS, type TierOrUnknown } from "../../model/tier.ts";

/** The fields of a row that only replay reads. JSON names, because this is the file format. */
export interface RowFacts {
  /** Version of iddio that classified the request. */
  readonly classifier: string;
  readonly aliases?: readonly string[];
  readonly unnamed_scopes?: readonly string[];
  readonly spanned_scopes?: readonly string[];
  readonly parts?: readonly RowPart[];
  /** There were more parts than a row has room for; without them nothing can be decided. */
  readonly parts_left_out?: true;
  /** The run was started with presence, so that `agents:` could allow more. */
  readonly with_presence?: true;
}

/** One operation of a request that carries several. */
export interface RowPart extends Omit<RowFacts, "classifier" | "with_presence"> {
  readonly protocol?: Protocol;
  readonly tier: TierOrUnknown;
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A row as decide sees it. */
export interface RecordedRequest {
  readonly classification: Classification;
  readonly mayWiden: boolean;
  /** Version that classified it; undefined in rows that have no facts, of which aliases and scopes are not known. */
  readonly classifier: string | undefined;
}

/** Parts that a row has room for. */
export const MAX_ROW_PARTS = 64;

/** Puts the fields beside tier, command and labels, in place, because there is a row for every request. */
export function putRowFacts(
  row: Record<string, unknown>,
  classification: Classification,
  mayWiden: boolean,
  version: string,
): void {
  row.classifier = version;
  putFacts(row, classification);
  if (mayWiden) row.with_presence = true;
}

/** The same fields by themselves. */
export function rowFacts(classification: Classification, mayWiden: boolean, version: string): RowFacts {
  const facts: OpenFacts & { classifier: string } = { classifier: version };
  putRowFacts(facts, classification, mayWiden, version);
  return facts;
}

type OpenFacts = { -readonly [Name in keyof RowFacts]?: RowFacts[Name] };

function putFacts(
  facts: OpenFacts,
  { aliases, unnamedScopes, spannedScopes, parts = [], protocol }: Classification,
): OpenFacts {
  if (aliases.length > 0) facts.aliases = aliases;
  if (unnamedScopes !== undefined) facts.unnamed_scopes = unnamedScopes;
  if (spannedScopes !== undefined) facts.spanned_scopes = spannedScopes;
  if (parts.length > MAX_ROW_PARTS) facts.parts_left_out = true;
  else if (parts.length > 0) facts.parts = parts.map((part) => partOf(part, protocol));
  return facts;
}

function partOf(part: Classification, outer: Protocol): RowPart {
  const { protocol, tier, command, labels } = part;
  return { ...(protocol === outer ? {} : { protocol }), tier, command, labels, ...putFacts({}, part) };
}

/** Reads a row; undefined when it is about no judged request, or keeps too little to decide it again. */
export function recordedRequest(fields: EntryFields): RecordedRequest | undefined {
  const { protocol, classifier, with_presence } = fields;
  if (protocol === undefined || !isProtocol(protocol)) return undefined;
  const classification = readPart(fields, protocol, 0);
  if (classification === undefined) return undefined;
  return {
    classification,
    mayWiden: with_presence === true,
    classifier: typeof classifier === "string" ? classifier : undefined,
  };
}

/** Rows come from a file that anybody may have edited: a malformed row counts as none. */
function readPart(given: unknown, outer: Protocol, depth: number): Classification | undefined {
  if (typeof given !== "object" || given === null || depth > MAX_DEPTH) return undefined;
  const {
    protocol = outer,
    tier,
    command = "",
    labels = {},
    aliases = [],
    ...rest
  } = given as Record<string, unknown>;
  const { unnamed_scopes: unnamed, spanned_scopes: spanned, parts = [], parts_left_out: leftOut } = rest;
  const known = [...TIERS, "unknown" as const].find((one) => one === tier);
  if (known === undefined || typeof command !== "string" || leftOut !== undefined) return undefined;
  if (typeof protocol !== "string" || !isProtocol(protocol) || !isLabels(labels) || !isTexts(aliases))
    return undefined;
  if ((unnamed !== undefined && !isTexts(unnamed)) || (spanned !== undefined && !isTexts(spanned)))
    return undefined;
  if (!Array.isArray(parts)) return undefined;
  const read = parts.map((part: unknown) => readPart(part, protocol, depth + 1));
  if (!read.every((part) => part !== undefined)) return undefined;
  return {
    protocol,
    tier: known,
    command,
    aliases,
    labels,
    ...(unnamed === undefined ? {} : { unnamedScopes: unnamed }),
    ...(spanned === undefined ? {} : { spannedScopes: spanned }),
    ...(read.length === 0 ? {} : { parts: read }),
    reason: "as the row says",
  };
}

const MAX_DEPTH = 8;

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function isLabels(value: unknown): value is Readonly<Record<string, string>> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((one) => typeof one === "string")
  );
}

/** The labels of a row's request itself, without the run that sent it. */
export function ownLabels({ labels }: Pick<Classification, "labels">): Readonly<Record<string, string>> {
  const { [AGENT_LABEL]: _, ...own } = labels;
  return own;
}
