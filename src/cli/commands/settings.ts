// `iddio settings …`: the settings of the daemon. The daemon owns the file: it checks a value
// before it is written and keeps the file's comments.

import { UserError } from "../../model/user-error.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { type Command, JSON_FLAG } from "../kit/command.ts";
import { suggestWord } from "../kit/suggest.ts";

/** Prints every setting as `name  value`, defaults included; of one that is named only its value. */
export const settingsGetCommand: Command = {
  name: "settings get",
  summary: "Print the settings in use, or the value of one",
  args: [{ name: "key", isOptional: true }],
  flags: [JSON_FLAG],
  examples: ["iddio settings get", "iddio settings get approval_timeout"],
  async run({ args, flags, output, daemon }) {
    const [wanted] = args;
    if (wanted !== undefined) await checkName(wanted);
    const { settings } = await daemon.call("settings_get", {});
    const chosen = Object.entries(settings).filter(([name]) => wanted === undefined || name === wanted);
    if (flags.has("json")) return void output.json(Object.fromEntries(chosen));
    if (wanted === undefined) return void output.pairs(chosen.map(([name, value]) => [name, shown(value)]));
    for (const [, value] of chosen) output.line(escapeForTerminal(String(value)));
  },
};

/** Changes one setting, in the file and in the running daemon. */
export const settingsSetCommand: Command = {
  name: "settings set",
  summary: "Change a setting",
  args: [{ name: "key=value", completes: "setting" }],
  flags: [JSON_FLAG],
  details: ["A value that is not accepted changes nothing; the message lists the accepted ones."],
  examples: ["iddio settings set approval_timeout=2m", "iddio settings set detector=generic"],
  async run({ args, flags, output, daemon }) {
    const [typed = ""] = args;
    const equals = typed.indexOf("=");
    if (equals <= 0)
      throw new UserError(`expected name=value, got '${typed}'`, {
        hint: "type: iddio settings set key=value; see the keys with: iddio settings get",
        exitCode: 2,
      });
    const name = typed.slice(0, equals);
    await checkName(name);
    const report = await daemon.call("settings_set", { name, value: typed.slice(equals + 1) });
    if (flags.has("json")) return void output.json(report);
    const { value, previous, note } = report;
    const remark = note === undefined ? "" : ` (${escapeForTerminal(note)})`;
    const change =
      value === previous ? `is ${shown(value)} already` : `${shown(previous)} -> ${shown(value)}`;
    output.line(`${name}: ${escapeForTerminal(change)}${remark}`);
  },
};

/** Reads settings.yaml now; says where the proxy listens. */
export const settingsReloadCommand: Command = {
  name: "settings reload",
  summary: "Read settings.yaml again",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const report = await daemon.call("settings_reload", {});
    if (flags.has("json")) return void output.json(report);
    output.line(report.changed ? "settings loaded" : "settings unchanged");
    output.line(`proxy_listen  ${report.proxy_listen}`);
  },
};

/** Names the key that was probably meant; the daemon is only asked about keys that this program knows. */
async function checkName(name: string): Promise<void> {
  const { SETTING_NAMES } = await import("../../state/settings/settings.ts");
  const names: readonly string[] = SETTING_NAMES;
  if (names.includes(name)) return;
  const near = suggestWord(name, names);
  throw new UserError(`there is no setting '${name}'`, {
    hint:
      near === undefined ? `one of: ${names.join(", ")}` : `did you mean '${near}'? see: iddio settings get`,
    exitCode: 2,
  });
}

function shown(value: unknown): string {
  return value === "" ? '""' : String(value);
}
