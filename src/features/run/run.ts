// `iddio run`: an agent in a sandbox whose only way out is the gateway. The commands only read the
// command line; what starts, lists and ends runs is loaded when it is needed.

import { type Command, type CommandContext, JSON_FLAG } from "../../cli/kit/command.ts";
import { UserError } from "../../model/user-error.ts";

/** Starts a program in a sandbox. */
export const runCommand: Command = {
  name: "run",
  summary: "Run an agent in a sandbox whose only way out is the gateway",
  args: [{ name: "command", isOptional: true, isRest: true }],
  isRaw: true,
  flags: [
    {
      name: "name",
      value: "name",
      summary: "Name in the audit log and in approvals (default: the program's)",
    },
    {
      name: "profile",
      value: "profile",
      summary: "The agent's share of your files and variables (default: by the program's name)",
    },
    {
      name: "ro",
      value: "path",
      completes: "file",
      isRepeatable: true,
      summary: "Show a file or folder, read-only",
    },
    { name: "rw", value: "path", completes: "file", isRepeatable: true, summary: "Let it write a folder" },
    { name: "env", value: "name", isRepeatable: true, summary: "Pass a variable on" },
    {
      name: "publish",
      value: "port",
      kind: "count",
      isRepeatable: true,
      summary: "Let this machine reach a port that the agent listens on",
    },
    {
      name: "local-port",
      value: "port",
      kind: "count",
      isRepeatable: true,
      summary: "Let the agent reach a port on this machine's loopback",
    },
    {
      name: "with-presence",
      summary: "Show that you are there, so that 'agents:' of the policy may allow it more",
    },
    { name: "keep-home", summary: "Show the whole home directory, read-only; weaker" },
    {
      name: "best-effort",
      summary: "Run without a sandbox where there can be none, and name the missing part",
    },
    { name: "check", summary: "Describe the sandbox and run nothing" },
    { name: "setup", summary: "Let AppArmor allow the sandbox, with sudo (Ubuntu 24.04 and newer)" },
    JSON_FLAG,
  ],
  details: [
    "The agent sees the folder that you are in, its own copies of caches and settings, and the system, read-only. It",
    "does not see the rest of your home directory, the state of iddio or any socket outside. Every connection goes",
    "through the gateway, whether or not the program knows of a proxy.",
  ],
  examples: [
    "iddio run claude",
    "iddio run --publish 3000 -- npm run dev",
    "iddio run --name ci-deploy --profile ci -- sh deploy.sh",
    "iddio run --check",
  ],
  async run(context) {
    const { flags } = context;
    if (flags.has("setup")) {
      const { setUpAppArmor } = await import("./app-armor-setup.ts");
      return setUpAppArmor(context);
    }
    if (flags.has("check")) {
      const { checkRun } = await import("./check/check-run.ts");
      return checkRun(context, runOptions(context));
    }
    const { startRun } = await import("./start-run.ts");
    return startRun(startContext(context), { ...runOptions(context) });
  },
};

/** Lists what runs. */
export const runListCommand: Command = {
  name: "run ls",
  summary: "List the agents that run",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const { runs } = await daemon.call("runs_list", {});
    if (flags.has("json")) return void output.json(runs);
    if (runs.length === 0) return void output.note("no agent runs");
    const { renderDuration } = await import("../../text/duration.ts");
    output.table(
      ["NAME", "ID", "PROFILE", "LEVEL", "PID", "FOR", "COMMAND"],
      runs.map((run) => [
        run.name,
        run.id,
        run.profile,
        run.level ?? "-",
        String(run.pid ?? "-"),
        renderDuration(Math.max(0, Math.floor((Date.now() - run.started_ms) / 1000)) * 1000),
        run.command,
      ]),
    );
  },
};

/** Ends one: its network first, then its processes. */
export const runStopCommand: Command = {
  name: "run stop",
  summary: "End an agent: its network, then its processes",
  args: [{ name: "name" }],
  flags: [JSON_FLAG],
  examples: ["iddio run stop claude"],
  async run({ args, flags, output, daemon }) {
    const { run } = await daemon.call("runs_stop", { run: args[0] ?? "" });
    if (flags.has("json")) output.json(run);
    else output.line(`stopped ${run.name}`);
  },
};

/** Lists the profiles. */
export const runProfilesCommand: Command = {
  name: "run profiles",
  summary: "List the profiles of agents",
  flags: [JSON_FLAG],
  details: ["A file in the state directory's 'profiles' replaces the built-in profile of its name."],
  async run({ flags, output, paths }) {
    const { listProfiles } = await import("./profile.ts");
    const profiles = await listProfiles(paths.profiles);
    if (flags.has("json"))
      return void output.json(profiles.map(({ profile, file }) => ({ ...profile, file })));
    output.table(
      ["NAME", "WHAT FOR", "COMMAND", "FROM"],
      profiles.map(({ profile, file }) => [
        profile.name,
        profile.summary,
        profile.command.join(" ") || "-",
        file ?? "iddio",
      ]),
    );
  },
};

/** Lists the files that were moved out of agents' reach. */
export const runQuarantineCommand: Command = {
  name: "run quarantine",
  summary: "List files of agents that would have started programs outside",
  flags: [JSON_FLAG],
  async run({ flags, output, paths }) {
    const { quarantined } = await import("./control-files/quarantine.ts");
    const moved = await quarantined(paths.quarantine);
    if (flags.has("json")) return void output.json(moved);
    if (moved.length === 0) return void output.note("nothing is in quarantine");
    output.table(
      ["FROM", "NOW"],
      moved.map(({ from, to }) => [from, to]),
    );
  },
};

/** Puts one of them back. */
export const runRestoreCommand: Command = {
  name: "run restore",
  summary: "Put a file back that was moved out of an agent's project",
  args: [{ name: "path", completes: "file" }],
  details: ["Look at it first: the next program that finds it may run its commands."],
  examples: ["iddio run restore .envrc"],
  async run({ args, output, paths }) {
    const { resolve } = await import("node:path");
    const { restore } = await import("./control-files/quarantine.ts");
    const { from } = await restore(paths.quarantine, resolve(args[0] ?? ""));
    output.line(`restored ${from}`);
  },
};

/** The commands of `iddio run`, except the bridge that only `iddio run` itself starts. */
export const RUN_COMMANDS: readonly Command[] = [
  runCommand,
  runListCommand,
  runStopCommand,
  runProfilesCommand,
  runQuarantineCommand,
  runRestoreCommand,
];

function startContext({ paths, env, daemon, output }: CommandContext) {
  return { paths, env, daemon, note: (text: string) => output.note(text) };
}

function runOptions({ args, flags }: CommandContext) {
  return {
    command: args,
    profile: flags.text("profile"),
    name: flags.text("name"),
    readOnly: flags.texts("ro"),
    writable: flags.texts("rw"),
    env: flags.texts("env"),
    publish: flags.texts("publish").map(portOf),
    localPorts: flags.texts("local-port").map(portOf),
    withPresence: flags.has("with-presence"),
    keepHome: flags.has("keep-home"),
    bestEffort: flags.has("best-effort"),
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (port >= 1 && port <= 65535) return port;
  throw new UserError(`'${text}' is not a port`, { hint: "a number from 1 to 65535", exitCode: 2 });
}
