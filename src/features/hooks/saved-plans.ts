// The saved plans that a command line applies, read by the hook with the agent's own rights: the
// daemon opens no file that an agent names.

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { classifyScript } from "../../protocols/shell/classify-script.ts";
import { savedPlanOf } from "../../protocols/terraform/argv.ts";

/** A plan for the daemon. */
export interface SentPlan {
  readonly file: string;
  readonly content: string;
}

const PLAN_MAX = 12 * 1024 * 1024;
const PLANS_MAX = 4;

/** Whether a command line may apply a saved plan at all; cheap. */
export function mayApplyPlan(command: string): boolean {
  return /\b(?:terraform|tofu|opentofu|tf)\b/.test(command) && /\bapply\b/.test(command);
}

/** The plans that can be read; for others the daemon knows that they were not. */
export async function savedPlans(command: string, cwd: string | undefined): Promise<readonly SentPlan[]> {
  const files = new Set(
    classifyScript(command)
      .map(({ argv }) => savedPlanOf(argv))
      .filter((file) => file !== undefined),
  );
  const plans: SentPlan[] = [];
  for (const file of [...files].slice(0, PLANS_MAX)) {
    const bytes = await bytesOf(pathOf(file, cwd));
    if (bytes !== undefined) plans.push({ file, content: bytes.toString("base64") });
  }
  return plans;
}

function pathOf(file: string, cwd: string | undefined): string {
  return file.startsWith("~/") ? join(homedir(), file.slice(2)) : resolve(cwd ?? process.cwd(), file);
}

async function bytesOf(path: string): Promise<Buffer | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const found = await file.stat();
    return found.isFile() && found.size <= PLAN_MAX ? await file.readFile() : undefined;
  } finally {
    await file.close();
  }
}
