// Which command of kubectl a patch is exactly, so that an allow of `kubectl rollout restart` is
// about restarts and no other change of a Deployment. A patch that says anything more, or that is
// none of these for certain, keeps the name of the whole operation.

import type { Classification } from "../../model/classification.ts";
import { type Header, headerValues, type RequestBody } from "../../model/request.ts";
import { parseStrictJson } from "../../wire/jsonrpc/strict-json.ts";
import { isBuiltInGroup } from "./tier.ts";

type Shape = (value: unknown) => boolean;

/** One command that its patch tells. */
interface ToldCommand {
  readonly types: readonly string[];
  /** Whether the type is part of the command's name; of `cordon` it is not. */
  readonly isTyped: boolean;
  /** The shape of its patch of a type. */
  shapeFor(type: string): Shape;
}

const text: Shape = (value) => typeof value === "string";
const scalar: Shape = (value) => typeof value !== "object" || value === null;
const unset: Shape = (value) => value === null || value === false;
const anything: Shape = () => true;

/** An object with all of `needed` and no other members than these and `others`. */
function members(
  needed: Readonly<Record<string, Shape>>,
  others: Readonly<Record<string, Shape>> = {},
): Shape {
  const shapes = new Map(Object.entries({ ...others, ...needed }));
  return (value) =>
    isObject(value) &&
    Object.keys(needed).every((name) => Object.hasOwn(value, name)) &&
    Object.entries(value).every(([name, member]) => shapes.get(name)?.(member) === true);
}

/** An object whose names are its user's; a `$` begins an instruction to the server. */
function mapOf(shape: Shape): Shape {
  return (value) =>
    isObject(value) &&
    Object.entries(value).every(([name, member]) => !name.startsWith("$") && shape(member));
}

function listOf(shape: Shape): Shape {
  return (value) => Array.isArray(value) && value.length > 0 && value.every(shape);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The way from an object to the specification of its pods. */
function ofPods(type: string, shape: Shape): Shape {
  const path =
    type === "pods"
      ? ["spec"]
      : type === "cronjobs"
        ? ["spec", "jobTemplate", "spec", "template", "spec"]
        : ["spec", "template", "spec"];
  return path.reduceRight((inner, name) => members({ [name]: inner }), shape);
}

const NAMES = listOf(members({ name: text }));

/** Containers of pods, each with one thing changed; the order of all others may be told, too. */
function containers(needed: Readonly<Record<string, Shape>>, others: Readonly<Record<string, Shape>> = {}) {
  const list = listOf(members({ name: text, ...needed }, others));
  const order = { "$setElementOrder/containers": NAMES, "$setElementOrder/initContainers": NAMES };
  const both = members({}, { containers: list, initContainers: list, ...order });
  return (type: string): Shape =>
    ofPods(
      type,
      (value) => both(value) && isObject(value) && ("containers" in value || "initContainers" in value),
    );
}

const ENV = members(
  { name: text },
  { value: scalar, valueFrom: anything, $patch: (value) => value === "delete" },
);
const AMOUNTS: Shape = (value) => value === null || mapOf(scalar)(value);

const ROLLED_OUT = ["deployments", "daemonsets", "statefulsets"];
const WITH_TEMPLATE = [...ROLLED_OUT, "replicasets", "replicationcontrollers", "cronjobs"];
const ofSpec = (name: string, shape: Shape) => () => members({ spec: members({ [name]: shape }) });

const TOLD: ReadonlyMap<string, ToldCommand> = new Map<string, ToldCommand>([
  [
    "rollout restart",
    {
      types: ROLLED_OUT,
      isTyped: true,
      shapeFor: () => {
        const annotations = members({ "kubectl.kubernetes.io/restartedAt": text });
        return members({ spec: members({ template: members({ metadata: members({ annotations }) }) }) });
      },
    },
  ],
  ["rollout pause", { types: ["deployments"], isTyped: true, shapeFor: ofSpec("paused", isTrue) }],
  ["rollout resume", { types: ["deployments"], isTyped: true, shapeFor: ofSpec("paused", unset) }],
  ["set image", { types: [...WITH_TEMPLATE, "pods"], isTyped: true, shapeFor: containers({ image: text }) }],
  [
    "set resources",
    {
      types: WITH_TEMPLATE,
      isTyped: true,
      shapeFor: containers({ resources: members({}, { limits: AMOUNTS, requests: AMOUNTS }) }),
    },
  ],
  [
    "set env",
    {
      types: WITH_TEMPLATE,
      isTyped: true,
      shapeFor: containers(
        { env: (value) => value === null || listOf(ENV)(value) },
        { "$setElementOrder/env": NAMES },
      ),
    },
  ],
  [
    "set serviceaccount",
    {
      types: WITH_TEMPLATE,
      isTyped: true,
      shapeFor: (type) => ofPods(type, members({ serviceAccountName: text }, { serviceAccount: text })),
    },
  ],
  ["cordon", { types: ["nodes"], isTyped: false, shapeFor: ofSpec("unschedulable", isTrue) }],
  ["uncordon", { types: ["nodes"], isTyped: false, shapeFor: ofSpec("unschedulable", unset) }],
  [
    "taint",
    {
      types: ["nodes"],
      isTyped: false,
      shapeFor: ofSpec("taints", (value) => value === null || TAINTS(value)),
    },
  ],
]);

const TAINTS: Shape = (value) =>
  Array.isArray(value) &&
  value.every(members({ key: text, effect: text }, { value: scalar, timeAdded: scalar }));

function isTrue(value: unknown): boolean {
  return value === true;
}

/** Commands that their patches tell, each with its types. */
export function toldCommands(): readonly { readonly command: string; readonly types: readonly string[] }[] {
  return [...TOLD].map(([command, { types }]) => ({ command, types }));
}

/** Whether the patch tells this command of one of Kubernetes' own types; without a type, of any. */
export function isTold(command: string, type?: string): boolean {
  const told = TOLD.get(command);
  return told !== undefined && (type === undefined || told.types.includes(type));
}

/** A request on an object. */
interface Patched {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | undefined;
}

/** The name of a patch that is a command, and its other spellings; undefined where this command's patch of it tells nothing. */
export function toldNames(
  command: string,
  { verb, group, resource, subresource }: Patched,
): Pick<Classification, "command" | "aliases"> | undefined {
  const told = TOLD.get(command);
  if (told === undefined || !told.types.includes(resource) || !isBuiltInGroup(group)) return undefined;
  if (verb !== "patch" || subresource !== undefined) return undefined;
  return told.isTyped
    ? { command: `${command} ${resource}`, aliases: [command, `${resource} patch`] }
    : { command, aliases: [`${resource} patch`] };
}

/** Whether the body of a patch may tell the command; nothing else is asked about it there. */
export function mayTell(patched: Patched): boolean {
  return [...TOLD.keys()].some((command) => toldNames(command, patched) !== undefined);
}

/** The longest patch that is looked at. */
const MAX_BYTES = 64 * 1024;

/** The command of kubectl that sends exactly this patch; undefined for all others. */
export function commandOfPatch(
  patched: Patched,
  body: RequestBody,
  headers: readonly Header[],
): string | undefined {
  if (body.kind !== "whole" || body.bytes.length > MAX_BYTES || !mayTell(patched)) return undefined;
  // As a merge or an apply the same text means something else.
  const types = headerValues(headers, "content-type").map((type) => type.trim().toLowerCase());
  if (types.length !== 1 || types[0] !== "application/strategic-merge-patch+json") return undefined;
  const patch = parsed(body.bytes);
  for (const [command, { shapeFor }] of TOLD)
    if (toldNames(command, patched) !== undefined && shapeFor(patched.resource)(patch)) return command;
  return undefined;
}

function parsed(bytes: Uint8Array): unknown {
  try {
    const json = parseStrictJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return "value" in json ? json.value : undefined;
  } catch {
    return undefined;
  }
}
