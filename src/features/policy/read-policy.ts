// Reads a policy from a file that a person names, for the commands that need no daemon. Bounded, regular files only;
// a file that does not load fails with its first problem and its place.

import type { Protocol } from "../../model/protocol.ts";
import { UserError } from "../../model/user-error.ts";
import type { Policy } from "../../policy/policy.ts";
import type { KnownOperation } from "../../protocols/known-operation.ts";

/** Octets that are read of a file; a policy is at most 1 MiB. */
const MAX_BYTES = 1024 * 1024 + 1;

/** The text of a regular file. Throws a UserError that names the file. */
export async function readTextFile(path: string, what: string): Promise<string> {
  const { constants } = await import("node:fs");
  const { open } = await import("node:fs/promises");
  // Without O_NONBLOCK a FIFO would keep the program waiting for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "ENOENT"
          ? "does not exist"
          : error.code === "EACCES"
            ? "may not be read by you"
            : String(error.code);
      throw new UserError(`${what} '${path}' ${why}`, { hint: "give the path of a file", cause: error });
    },
  );
  try {
    const { size } = await file.stat().then((stat) => {
      if (!stat.isFile())
        throw new UserError(`${what} '${path}' is not a regular file`, { hint: "give the path of a file" });
      return stat;
    });
    if (size >= MAX_BYTES)
      throw new UserError(`${what} '${path}' is larger than 1 MiB`, { hint: "split it" });
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

/** The compiled policy in a file. Throws a UserError with the first problem's place. */
export async function readPolicy(path: string): Promise<Policy> {
  const text = await readTextFile(path, "policy");
  const { parsePolicy } = await import("../../policy/parse/parse.ts");
  const parsed = parsePolicy(text);
  if ("policy" in parsed) return parsed.policy;
  const first = parsed.problems.find(({ severity }) => severity === "error");
  throw new UserError(
    `'${path}' is not a valid policy: line ${first?.line ?? 1}: ${first?.message ?? "unreadable"}`,
    {
      hint: `see all problems: iddio policy validate --path ${path}`,
    },
  );
}

/** The known operations of each protocol, for comparisons. */
export async function loadCatalogue(): Promise<(protocol: Protocol) => readonly KnownOperation[]> {
  const { classifierFor } = await import("../../protocols/registry.ts");
  return (protocol) => classifierFor(protocol).operations?.() ?? [];
}
