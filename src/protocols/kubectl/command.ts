// How a Kubernetes operation is called in policies, logs and approvals: RBAC's words,
// `deployments/scale patch`, with kubectl's own short names where it has one.

import type { Classification } from "../../model/classification.ts";

/** The parts of an operation that its names are made of. */
export interface NamedOperation {
  readonly verb: string;
  readonly resource: string;
  readonly subresource: string | undefined;
}

const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ["exec", "exec"],
  ["attach", "attach"],
  ["portforward", "port-forward"],
  ["proxy", "proxy"],
]);

/** The command and its other spellings. `execCommand` is the command of an exec, which tells `kubectl cp`. */
export function commandNames(
  { verb, resource, subresource }: NamedOperation,
  execCommand: readonly string[] = [],
): Pick<Classification, "command" | "aliases"> {
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
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
