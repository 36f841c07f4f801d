// `iddio undo …`: the changes of clusters that can be taken back. Taking one back is a request
// through iddio like any other: it is tried in a dry run and shown first, and where the policy says
// so it is held.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { effectLines } from "../../cli/kit/effect-lines.ts";
import { localTime } from "../../cli/kit/local-time.ts";
import { UserError } from "../../model/user-error.ts";
import { escapeForTerminal } from "../../text/escape.ts";

const ID = { name: "id" } as const;
const ID_DETAIL = "The id may be given without 'undo_' and cut short as long as it is unique.";

/** Lists the changes that can be undone, newest first. */
export const undoListCommand: Command = {
  name: "undo list",
  summary: "List the changes that can be undone",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const { entries } = await daemon.call("undo_list", {});
    if (flags.has("json")) return void output.json(entries);
    if (entries.length === 0) return void output.note("nothing can be undone");
    output.table(
      ["ID", "WHEN", "RUN", "COMMAND", "OBJECTS", "PATH"],
      entries.map((each) => [
        each.id,
        localTime(each.created_ms),
        each.run ?? "-",
        each.command,
        String(each.objects),
        each.path === "" ? "-" : each.path,
      ]),
    );
  },
};

/** Shows the effect of a change, from its saved objects. */
export const undoShowCommand: Command = {
  name: "undo show",
  summary: "Show a change that can be undone",
  args: [ID],
  flags: [JSON_FLAG],
  details: [ID_DETAIL, "Secrets are shown as ***."],
  examples: ["iddio undo show 3f2a"],
  async run({ args, flags, output, daemon }) {
    const { entry, objects, since } = await daemon.call("undo_look", { id: args[0] ?? "" });
    const { objects: _, ...facts } = entry;
    if (flags.has("json")) return void output.json({ ...facts, objects, since });
    const { bold } = await output.loadPaints();
    output.pairs([
      ["id", entry.id],
      ["request", entry.request_id],
      ["when", localTime(entry.created_ms)],
      ["command", entry.command],
      ["host", `${entry.host}:${entry.port}`],
      ["run", entry.run],
      ["state", entry.state === "kept" ? undefined : "how it ended is not known"],
    ]);
    for (const { path, changes, more } of objects) {
      output.line(bold(escapeForTerminal(path)));
      const report = {
        state: "shown",
        about: "",
        changes,
        ...(more === 0 ? {} : { more_changes: more }),
      } as const;
      for (const { text } of effectLines(report).slice(1)) output.line(`  ${escapeForTerminal(text)}`);
    }
    for (const note of entry.notes) output.line(`note: ${escapeForTerminal(note)}`);
    for (const { id, command, fields } of since)
      output.line(
        fields.length === 0
          ? `since: ${id} (${escapeForTerminal(command)}) changed other fields`
          : `conflict: ${escapeForTerminal(fields.join(", "))} was changed by ${id} (${escapeForTerminal(command)}) since`,
      );
  },
};

/** Takes a change back. */
export const undoApplyCommand: Command = {
  name: "undo apply",
  summary: "Take a change back",
  args: [ID],
  flags: [
    { name: "force", summary: "Also where somebody else has changed it since" },
    { name: "dry-run", summary: "Only show the steps" },
  ],
  details: [
    ID_DETAIL,
    "The steps are tried in a dry run and shown first. Each request goes through iddio by kubectl and the overlay",
    "kubeconfig, so the policy judges it; what is held waits for approval as always.",
    "Not everything comes back: see docs/undo.md.",
  ],
  examples: ["iddio undo apply 3f2a", "iddio undo apply 3f2a --dry-run"],
  async run({ args, flags, output, daemon, paths, env }) {
    const { entry } = await daemon.call("undo_show", { id: args[0] ?? "" });
    const { clusterOfEntry } = await import("./cluster-of-entry.ts");
    const { undoSteps } = await import("./apply-undo.ts");
    const cluster = await clusterOfEntry(entry, paths.kubeconfig, env);
    const steps = await undoSteps(entry, cluster);
    if (steps.length === 0) return void output.note("nothing differs any more; nothing is done");
    const { bold, warn } = await output.loadPaints();
    for (const step of steps) {
      for (const { tone, text } of effectLines(step.effect))
        output.line(tone === "strong" ? bold(escapeForTerminal(text)) : `  ${escapeForTerminal(text)}`);
      for (const conflict of step.conflicts)
        output.line(warn(`  conflict: ${escapeForTerminal(conflict)} was changed by somebody else since`));
    }
    for (const note of entry.notes) output.line(`note: ${escapeForTerminal(note)}`);
    if (flags.has("dry-run")) return;
    if (steps.some(({ conflicts }) => conflicts.length > 0) && !flags.has("force"))
      throw new UserError("somebody else has changed it since; nothing was done", {
        hint: `to put it back all the same: iddio undo apply ${entry.id} --force`,
      });
    const uids = new Map<string, string>();
    for (const step of steps) await step.run(uids);
    output.line(`undone ${entry.id}`);
  },
};

/** Forgets the saved objects. */
export const undoClearCommand: Command = {
  name: "undo clear",
  summary: "Forget the saved objects of changes",
  args: [{ name: "id", isOptional: true }],
  flags: [JSON_FLAG],
  details: ["Without an id everything is forgotten."],
  examples: ["iddio undo clear", "iddio undo clear 3f2a"],
  async run({ args, flags, output, daemon }) {
    const [id] = args;
    const report = await daemon.call("undo_clear", id === undefined ? {} : { id });
    if (flags.has("json")) return void output.json(report);
    output.line(`forgot ${report.cleared}`);
  },
};
