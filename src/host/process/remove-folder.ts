// Removes a folder in which a program of this user may have left anything: folders that may not be
// entered, and paths that are longer than the system takes. Links are not followed.

import { rm } from "node:fs/promises";
import { runTool } from "./run-tool.ts";

/** Removes it with all that is in it; whether it is gone. Never throws. */
export async function removeFolder(path: string): Promise<boolean> {
  if (await isRemoved(path)) return true;
  // The system's programs go by open folders, so that no path is too long for them.
  await runTool(["chmod", "-R", "u+rwX", "--", path], { env: {} });
  await runTool(["rm", "-rf", "--", path], { env: {} });
  return isRemoved(path);
}

function isRemoved(path: string): Promise<boolean> {
  return rm(path, { recursive: true, force: true }).then(
    () => true,
    () => false,
  );
}
