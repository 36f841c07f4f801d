// `iddio run --check`: the same sandbox as for an agent, with a probe in it instead, and a table
// of the findings. The start proves that the network is closed and that no secret is readable, as
// before every agent: when either fails, nothing is started and the table says so.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CommandContext } from "../../../cli/kit/command.ts";
import { UserError } from "../../../model/user-error.ts";
import type { Profile } from "../profile.ts";
import { profileFor } from "../run-command.ts";
import { type RunOptions, type SeenRun, startRun } from "../start-run.ts";

/** One line of the table. */
export interface CheckRow {
  readonly what: string;
  readonly holds: boolean;
  readonly found: string;
}

/** How one system's sandbox is looked at. */
export interface CheckedSystem {
  /** The level when everything holds. */
  readonly level: string;
  /** Looks for the program that confines. Throws UserError when there is none. */
  readonly helper: () => Promise<readonly CheckRow[]>;
  /** A script that prints to a file `check` in the run's own folder facts that only a process inside can tell. */
  readonly probe: string;
  /** The rows that the start has proved. */
  readonly proven: (seen: SeenRun) => readonly CheckRow[];
  /** The rows of the probe's findings. */
  readonly probed: (text: string, profile: Profile) => readonly CheckRow[];
}

/** Starts a probe and prints its table; the code is 0 when everything holds. */
export async function checkRun(
  { paths, env, daemon, output, flags }: CommandContext,
  options: RunOptions,
  start: typeof startRun = startRun,
  system?: CheckedSystem,
): Promise<number> {
  const own = system ?? (await ownSystem());
  const rows: CheckRow[] = [];
  try {
    rows.push(...(await own.helper()));
    let text = "";
    let seen: SeenRun | undefined;
    const context = { paths, env, daemon, note: (line: string) => output.note(line) };
    const profile = await profileFor(context, options);
    const code = await start(context, {
      ...options,
      profile: profile.name,
      command: ["/bin/sh", "-c", own.probe],
      bestEffort: false,
      async onEnd(found) {
        seen = found;
        text = await readFile(join(found.folder, "check"), "utf8").catch(() => "");
      },
    });
    if (code === 0 && seen !== undefined) rows.push(...own.proven(seen), ...own.probed(text, profile));
    else rows.push({ what: "start", holds: false, found: "the sandbox did not start; see above" });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    rows.push({ what: "sandbox", holds: false, found: error.message });
    if (error.hint !== undefined) output.note(`hint: ${error.hint}`);
  }
  const isClosed = rows.every(({ holds }) => holds);
  const level = isClosed ? (options.keepHome ? "L1 (--keep-home)" : own.level) : "L0";
  rows.push({ what: "level", holds: level === own.level, found: level });
  if (flags.has("json")) output.json(rows);
  else
    output.table(
      ["WHAT", "HOLDS", "FOUND"],
      rows.map(({ what, holds, found }) => [what, holds ? "yes" : "NO", found]),
    );
  return rows.every(({ holds }) => holds) ? 0 : 1;
}

async function ownSystem(): Promise<CheckedSystem> {
  return process.platform === "darwin"
    ? (await import("../mac/check-on-mac.ts")).MAC
    : (await import("./check-on-linux.ts")).LINUX;
}
