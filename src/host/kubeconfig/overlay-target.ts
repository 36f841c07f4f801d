// Guards the file that the overlay replaces. The operator's own kubeconfig must survive a mistyped
// --output.

import { readFile } from "node:fs/promises";
import { UserError } from "../../model/user-error.ts";
import { errorCode } from "../../state/files.ts";
import { isOverlay, type Kubeconfig } from "./kubeconfig.ts";

/** Throws a UserError when `file` is there and is not an overlay that iddio wrote. */
export async function refuseForeignTarget(file: string, kubeconfig: Kubeconfig): Promise<void> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw new UserError(`cannot read '${file}': ${errorCode(error) ?? String(error)}`, { cause: error });
  });
  if (text === undefined || (isOverlay(text) && !kubeconfig.sources.includes(file))) return;
  throw new UserError(`'${file}' already exists and was not written by iddio`, {
    hint: "give --output another name, or move the file away",
  });
}
