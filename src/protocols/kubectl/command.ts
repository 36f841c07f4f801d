// How a Kubernetes operation is called in policies, logs and approvals: RBAC's words,
// `deployments/scale patch`, with kubectl's own short names where it has one. A type that a cluster
// adds is called with its group, so that Knative's services are nobody's `services`. Also tells the
// two steps of a `kubectl cp` into a container, which belong together.

import type { Classification } from "../../model/classification.ts";
import { isBuiltInGroup } from "./tier.ts";

/** The parts of an operation that its names are made of. */
export interface NamedOperation {
  readonly verb: string;
  /** "" also where a command line names a type without its group. */
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | undefined;
}

const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ["exec", "exec"],
  ["attach", "attach"],
  ["portforward", "port-forward"],
  ["proxy", "proxy"],
]);

/** Groups of metrics, which are about Kubernetes' own types. */
const METRICS = /^(?:(?:custom|external)\.)?metrics\.k8s\.io$/;

/** The name of a type: bare for Kubernetes' own, and for its metrics, which are read alone; `type.group` for all others. */
export function typeName({ group, resource }: Pick<NamedOperation, "group" | "resource">): string {
  return isBuiltInGroup(group) || METRICS.test(group) ? resource : `${resource}.${group}`;
}

/** The command and its other spellings. `execCommand` is the command of an exec, which tells `kubectl cp`. */
export function commandNames(
  { verb, group, resource, subresource }: NamedOperation,
  execCommand: readonly string[] = [],
): Pick<Classification, "command" | "aliases"> {
  const type = typeName({ group, resource });
  const what = subresource === undefined ? type : `${type}/${subresource}`;
  const full = verb === "" ? what : `${what} ${verb}`;
  if (verb === "proxy") return { command: "proxy", aliases: [full] };
  if (subresource === "ephemeralcontainers" && (verb === "patch" || verb === "update" || verb === "create"))
    return { command: "debug", aliases: [full] };
  const short = subresource === undefined ? undefined : SHORT_NAMES.get(subresource);
  if (short === undefined) return { command: full, aliases: [] };
  // RBAC asks for `create` on these whatever the method, so a rule may say either.
  const aliases = verb === "create" ? [full] : [full, `${what} create`];
  if (short === "exec" && isCopy(execCommand)) return { command: "cp", aliases: ["exec", ...aliases] };
  return { command: short, aliases };
}

/**
 * `kubectl cp` runs `tar cf - <path>` or `tar -xmf - [-C <dir>]`. Only these shapes: tar has options that
 * run programs, and a policy may let cp through where it denies exec.
 */
function isCopy(command: readonly string[]): boolean {
  if (command[0] !== "tar") return false;
  const words = command.slice(1).filter((word) => !/^--no-same-(?:permissions|owner)$/.test(word));
  const [mode = "", archive, ...rest] = words;
  if (archive !== "-") return false;
  if (/^-?cf$/.test(mode)) return rest.length > 0 && rest.every((word) => !word.startsWith("-"));
  if (!/^-?xm?f$/.test(mode)) return false;
  return rest.length === 0 || (rest.length === 2 && rest[0] === "-C" && !rest[1]?.startsWith("-"));
}

/** The place of an exec. */
export interface ExecPlace {
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** Values of the query's `container`. */
  readonly containers: readonly string[];
}

/**
 * `kubectl cp` into a container asks by `test -d <path>` whether its target is a directory, then unpacks there or
 * beside it. The first step names the second one, exactly.
 */
export function copySteps(
  place: ExecPlace,
  command: readonly string[],
): Pick<Classification, "next" | "step"> {
  const { namespace, name, containers } = place;
  if (namespace === undefined || name === undefined || !/^[a-z0-9.-]+$/.test(name)) return {};
  const stepInto = (folder: string) => JSON.stringify(["cp", namespace, name, containers, folder]);
  if (command[0] === "test") {
    const [, flag, target = "", ...more] = command;
    // A person reads the path and the pod within a sentence.
    if (flag !== "-d" || more.length > 0 || !/^[\w./@:+~=,-]+$/.test(target)) return {};
    const folders = [...new Set([target, folderOf(target)])];
    const where = folders.map((folder) => `'${folder}'`).join(" or ");
    return {
      next: {
        about: `unpack an archive into ${where} of the pod ${name} (kubectl cp)`,
        steps: folders.map(stepInto),
      },
    };
  }
  const folder = command.at(-1);
  if (!isCopy(command) || command.at(-2) !== "-C" || folder === undefined) return {};
  return { step: stepInto(folder) };
}

/** As Go's path.Dir for the cleaned path that kubectl sends. */
function folderOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end < 0 ? "." : end === 0 ? "/" : path.slice(0, end);
}
