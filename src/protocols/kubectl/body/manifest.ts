// Judges the body of a write on a Kubernetes resource. Owns which requests are judged by their body
// and which reader takes which content type: a body that none of them reads for certain is a doubt,
// never a guess.

import { type Header, headerValues, type RequestBody } from "../../../model/request.ts";
import { parseStrictJson } from "../../../wire/jsonrpc/strict-json.ts";
import { changesAccess, isJudgedByName } from "../access.ts";
import { isBuiltInGroup } from "../tier.ts";
import { readCbor } from "./cbor.ts";
import { readJsonPatch } from "./json-patch.ts";
import { judgePods, type PodFinding, TELLING_WORDS } from "./pod-security.ts";
import { readProtobuf } from "./protobuf.ts";
import { type BodyTree, isTreeObject, listOf, MAX_NODES, type TreeReading } from "./tree.ts";
import { readYamlBody } from "./yaml.ts";

/** The object that a request writes. */
export interface WrittenResource {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace?: string | undefined;
}

/** Nothing, something that raises the tier, or why nobody can tell. */
export type BodyFinding = PodFinding | { readonly doubt: string } | undefined;

/** Built-in resources that hold a Pod or its template, or a credential by their type. */
const BUILT_IN: ReadonlySet<string> = new Set([
  "pods",
  "podtemplates",
  "replicationcontrollers",
  "secrets",
  ...["deployments", "replicasets", "statefulsets", "daemonsets"].flatMap((name) => [
    `${name}.apps`,
    `${name}.extensions`,
  ]),
  "jobs.batch",
  "cronjobs.batch",
  // A StatefulSet that is rolled out in part makes its pods from these.
  "controllerrevisions.apps",
]);

/** Parts of an object that never hold its specification. */
const PLAIN_SUBRESOURCES: ReadonlySet<string> = new Set(["status", "scale", "finalizers"]);

/** Whether the body of a write can raise its tier. A custom resource may hold anything. */
export function isJudgedByBody(written: WrittenResource): boolean {
  const { verb, group, resource, subresource } = written;
  if (isNamedInBody(written)) return true;
  if (verb !== "create" && verb !== "update" && verb !== "patch") return false;
  if (!isBuiltInGroup(group)) return subresource === undefined || !PLAIN_SUBRESOURCES.has(subresource);
  return subresource === undefined && BUILT_IN.has(group === "" ? resource : `${resource}.${group}`);
}

/** Of a creation the path tells no name. The names that matter are those in kube-system; elsewhere bodies may stream. */
function isNamedInBody({ verb, group, resource, subresource, namespace }: WrittenResource): boolean {
  if (namespace !== undefined && namespace !== "kube-system") return false;
  return verb === "create" && subresource === undefined && isJudgedByName({ group, resource });
}

/** Judges the body of a write for which `isJudgedByBody` holds. */
export function judgeBody(
  written: WrittenResource,
  body: RequestBody,
  headers: readonly Header[],
): BodyFinding {
  if (body.kind === "none" || (body.kind === "whole" && body.bytes.length === 0)) return undefined;
  if (body.kind === "unread") return { doubt: `the body decides, and ${body.why}` };
  const types = headerValues(headers, "content-type").map(mediaType);
  const [type = "application/json"] = types;
  if (types.some((other) => other !== type)) return { doubt: "two content types" };
  const reading = readBody(body.bytes, type, written);
  return isNamedInBody(written) ? judgeNames(written, reading) : judgeReading(reading, PARTIAL.test(type));
}

/** Judges JSON or YAML from a command line; `isJsonPatch` for a list of operations. */
export function judgeText(text: string, isJsonPatch: boolean): BodyFinding {
  return judgeReading(isJsonPatch ? readJsonPatchText(text) : readYamlText(text), true);
}

/** Judges the parts of an object that a command line holds. */
export function judgeTree(tree: BodyTree): BodyFinding {
  return judgeReading({ trees: [tree] }, false);
}

function judgeNames({ group, resource }: WrittenResource, reading: TreeReading): BodyFinding {
  if ("problem" in reading) return { doubt: `the name in the body decides, and ${reading.problem}` };
  for (const tree of reading.trees)
    for (const metadata of isTreeObject(tree) ? listOf(tree.metadata) : [])
      for (const name of isTreeObject(metadata) ? listOf(metadata.name) : [])
        if (changesAccess({ group, resource, subresource: undefined, name: String(name) }))
          return { tier: "break-glass", reason: `names ${String(name)}, which says who may do what` };
  return undefined;
}

/** They leave out what stays as it is; anyone who applies names everything that is theirs. */
const PARTIAL = /^application\/(?:merge-patch|strategic-merge-patch|json-patch)\+json$/;

function judgeReading(reading: TreeReading, isPartial: boolean): BodyFinding {
  if ("problem" in reading) return { doubt: `the body decides, and ${reading.problem}` };
  const found = judgePods(reading.trees, isPartial);
  return found === "too much" ? { doubt: "the body decides, and it holds too many values" } : found;
}

function mediaType(value: string): string {
  return value.split(";")[0]?.trim().toLowerCase() ?? "";
}

const NOTHING: TreeReading = { trees: [] };
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function readBody(bytes: Uint8Array, type: string, { group, resource, verb }: WrittenResource): TreeReading {
  if (type === "application/vnd.kubernetes.protobuf")
    return isBuiltInGroup(group)
      ? readProtobuf(bytes, resource)
      : { problem: "custom resources have no protobuf that could be read" };
  if (type === "application/cbor" || type === "application/apply-patch+cbor") return readCbor(bytes);
  const text = textOf(bytes);
  if (text === undefined) return { problem: "it is not UTF-8" };
  switch (type) {
    case "application/json":
    case "application/merge-patch+json":
    case "application/strategic-merge-patch+json":
      return hasNothingToTell(text) ? NOTHING : readJsonText(text);
    case "application/json-patch+json":
      return readJsonPatchText(text);
    case "application/yaml":
    case "application/x-yaml":
    case "text/yaml":
    case "application/apply-patch+yaml":
      return readYamlText(text);
    default:
      return { problem: `no reader knows the content type '${type.slice(0, 60)}' of a ${verb}` };
  }
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Most bodies name nothing that is judged; with an escape in them a name may look like anything. */
function hasNothingToTell(text: string): boolean {
  return !TELLING_WORDS.test(text) && !text.includes("\\u");
}

function readJsonText(text: string): TreeReading {
  if (holdsTooMuch(text)) return { problem: "it holds too many values" };
  const parsed = parseStrictJson(text);
  return "problem" in parsed ? { problem: parsed.problem } : { trees: [parsed.value as BodyTree] };
}

function readJsonPatchText(text: string): TreeReading {
  const reading = readJsonText(text);
  return "problem" in reading ? reading : readJsonPatch(reading.trees[0] ?? null);
}

/** An engine makes objects of many different names slowly: about 1 µs a name. */
const MAX_MEMBERS = 20_000;

/** Counts what separates values, strings left out, before anything is made of them. */
function holdsTooMuch(text: string): boolean {
  let values = 0;
  let members = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x3a) {
      if (++members > MAX_MEMBERS) return true;
    } else if (code === 0x2c || code === 0x5b || code === 0x7b) {
      if (++values > MAX_NODES) return true;
    } else if (code === 0x22) {
      at = text.indexOf('"', at + 1);
      while (at > 0 && isEscaped(text, at)) at = text.indexOf('"', at + 1);
      if (at < 0) return false;
    }
  }
  return false;
}

function isEscaped(text: string, quote: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(quote - 1 - slashes) === 0x5c) slashes++;
  return slashes % 2 === 1;
}

/** JSON is YAML too, and clients send JSON; only other bodies need the slower reader. */
function readYamlText(text: string): TreeReading {
  if (!TELLING_WORDS.test(text) && !text.includes("\\") && !text.includes("!")) return NOTHING;
  const json = /^\s*[[{]/.test(text) ? readJsonText(text) : undefined;
  return json === undefined || "problem" in json ? readYamlBody(text) : json;
}
