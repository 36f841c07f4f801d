// Carries out `iddio mcp install` and `uninstallServers` and prints the results. A client without
// settings here is passed over; only when none has any it is an error.

import { join } from "node:path";
import type { CommandContext } from "../../../cli/kit/command.ts";
import { lastingProgram } from "../../../host/process/lasting-program.ts";
import { UserError } from "../../../model/user-error.ts";
import { CLIENT_NAMES, type ClientName } from "./client-names.ts";
import { filesOf, namedFile, type SettingsFile } from "./clients.ts";
import { installIn, type ServerChange, uninstallIn } from "./install.ts";

function wanted({ args, flags, env }: CommandContext): readonly SettingsFile[] {
  const file = flags.text("file");
  if (file !== undefined) return [namedFile(file)];
  const clients = args[0] === undefined ? CLIENT_NAMES : [args[0] as ClientName];
  return clients.flatMap((client) => filesOf(client, env, process.cwd(), process.platform));
}

async function carryOut(
  context: CommandContext,
  one: (file: SettingsFile, keepIn: string) => Promise<readonly ServerChange[] | undefined>,
  words: { readonly changed: string; readonly unchanged: string },
): Promise<void> {
  const { output, paths, flags } = context;
  const files = wanted(context);
  const found: ServerChange[] = [];
  let seen = 0;
  for (const file of files) {
    const changes = await one(file, join(paths.root, "mcp-settings"));
    if (changes === undefined) continue;
    seen += 1;
    found.push(...changes);
  }
  if (flags.has("json")) {
    output.json({ servers: found });
    return;
  }
  if (seen === 0)
    throw new UserError("no settings of this client were found", {
      hint: `looked for: ${files.map(({ path }) => path).join(", ")}; name another with --file`,
    });
  for (const { file, server, state } of found)
    output.line(
      `${server}: ${state === "remote" ? "reached by an address, left as it is" : words[state]} (${file})`,
    );
  if (found.length === 0) output.note("the settings name no servers");
  if (found.some(({ state }) => state === "changed"))
    output.note("it counts when the client starts its servers again");
}

/** Puts iddio before the servers. */
export async function installServers(context: CommandContext): Promise<void> {
  const program = lastingProgram(context.env);
  await carryOut(context, (file, keepIn) => installIn(file, program, keepIn), {
    changed: "goes through iddio now",
    unchanged: "goes through iddio already",
  });
}

/** Takes it away. */
export async function uninstallServers(context: CommandContext): Promise<void> {
  await carryOut(context, uninstallIn, {
    changed: "starts by itself again",
    unchanged: "does not go through iddio",
  });
}
