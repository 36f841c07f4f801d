// `iddio settings …`: what the daemon runs with.

import { type Command, JSON_FLAG } from "../command.ts";

/** Prints every setting as `name: value`, defaults included. */
export const settingsGetCommand: Command = {
  name: "settings get",
  summary: "Print the settings in use",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const { settings } = await daemon.call("settings_get", {});
    if (flags.has("json")) return void output.json(settings);
    output.pairs(
      Object.entries(settings).map(([name, value]) => [name, value === "" ? '""' : String(value)]),
    );
  },
};
