// The daemon's part of policies: the control methods about policy.yaml. Commands edit the file,
// which stays the only source: each edit begins with the file as it is on disk now, and no two run
// at once, so that none is lost. A text that does not load is never written.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { ControlHandlers } from "../../api/handlers.ts";
import type { Principal } from "../../api/principal.ts";
import type { PolicyReloadReport } from "../../api/reports.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import type { RecordControl } from "../../gateway/request/records/record-control.ts";
import { PROTOCOLS, type Protocol } from "../../model/protocol.ts";
import { UserError } from "../../model/user-error.ts";
import { diffLines } from "../../policy/compare/diff-lines.ts";
import { addInspectEntry, type PolicyEdit, removeInspectEntry } from "../../policy/edit/edit.ts";
import { newCommandProblems } from "../../policy/lint/known-commands.ts";
import { parsePolicy } from "../../policy/parse/parse.ts";
import { errorCode, writeFileAtomic } from "../../state/files.ts";
import type { PolicyStore } from "../../state/policy-store.ts";
import { PolicyVersions } from "../../state/policy-versions.ts";
import { diffInSlices, doesNotLoad, policyToolHandlers } from "./policy-tools.ts";

type Methods =
  | "policy_show"
  | "policy_reload"
  | "policy_write"
  | "inspect_summary"
  | "inspect_add"
  | "inspect_remove";

/** The sentences about an edit's changes for its row. */
const EFFECT_LINES = 10;

/** Adds the methods about the policy: show, edit, compare, replay. */
export function startPolicy({ policy, paths, record, database }: DaemonParts): DaemonPart {
  const versions = new PolicyVersions(database, policy);
  return {
    handlers: {
      ...policyHandlers(policy, paths.policy, record),
      ...policyToolHandlers(policy, paths),
      policy_versions: () => ({
        versions: versions.list().map(({ savedMs, sha256, text }) => ({ saved_ms: savedMs, sha256, text })),
      }),
    },
  };
}

function policyHandlers(
  policy: PolicyStore,
  path: string,
  record: RecordControl,
): Pick<ControlHandlers, Methods> {
  const alone = oneAtATime();

  const report = (changed: boolean): PolicyReloadReport => ({
    revision: policy.revision,
    changed,
    warnings: policy.warnings.map((each) => `line ${each.line}: ${each.message}`),
  });

  const edit = (
    change: (text: string, protocol: Protocol, entry: string) => PolicyEdit,
    command: string,
    { protocol, entry }: { protocol: Protocol; entry: string },
    caller: Principal,
  ) =>
    alone(async () => {
      // A policy saved a moment ago may not have been noticed yet, so look at the disk first.
      const looked = await policy.reload();
      if (looked.kind === "waiting")
        throw new UserError("policy.yaml on disk waits for a person, so it is not edited", {
          hint: "iddio policy reload",
          code: "does-not-load",
        });
      if (policy.reloadProblem !== undefined)
        throw new UserError("policy.yaml on disk does not load, so it is not edited", {
          hint: "iddio policy validate",
          code: "does-not-load",
        });
      const edited = change(policy.current.text, protocol, entry);
      if (edited.kind === "refused")
        throw new UserError(edited.message, edited.hint === undefined ? {} : { hint: edited.hint });
      if (edited.kind === "unchanged") return { changed: false, note: edited.message };
      await writeFileAtomic(path, edited.text);
      await policy.reload(caller.presence !== undefined);
      record(caller, command, { protocol, entry });
      return { changed: true, note: edited.message };
    });

  return {
    policy_show: () => ({
      text: policy.current.text,
      path,
      revision: policy.revision,
      ...(policy.reloadProblem === undefined ? {} : { reload_problem: policy.reloadProblem }),
    }),

    policy_reload: async (_input, caller) => {
      const before = policy.current.text;
      const result = await policy.reload(caller.presence !== undefined);
      record(caller, "policy reload", { result: result.kind });
      if (result.kind === "failed")
        throw new UserError(
          `policy.yaml does not load, the last good one stays in force:\n  ${result.problem}`,
          {
            hint: "iddio policy validate",
            code: "does-not-load",
          },
        );
      if (result.kind !== "loaded") return report(false);
      const after = policy.current.text;
      const isCut = after.length < before.length && before.startsWith(after);
      return {
        ...report(true),
        warnings: [
          ...report(true).warnings,
          ...(isCut ? ["the file is only the beginning of the policy that was in force before"] : []),
          ...policy.removed.map((entry) => `no longer inspected: ${entry}`),
        ],
      };
    },

    policy_write: ({ text, base_sha256 }, caller) =>
      alone(async () => {
        const parsed = parsePolicy(text);
        if ("problems" in parsed) throw doesNotLoad(parsed.problems);
        const commands = newCommandProblems(parsed.policy, policy.local);
        if (commands.some(({ severity }) => severity === "error")) throw doesNotLoad(commands);
        const diff = await diffInSlices(policy.local, parsed.policy);
        const effect = diffLines(diff);
        if (base_sha256 !== undefined && (await sha256OfFile(path)) !== base_sha256)
          throw new UserError("policy.yaml has been changed meanwhile, so it is not overwritten", {
            hint: `see: ${path}`,
            code: "changed-meanwhile",
          });
        await writeFileAtomic(path, text);
        const result = await policy.reload(caller.presence !== undefined);
        const told = { wider: diff.isWider, effect: effect.slice(0, EFFECT_LINES) };
        record(caller, "policy edit", { revision: policy.revision, result: result.kind, ...told });
        return { ...report(result.kind === "loaded"), effect: [...effect] };
      }),

    inspect_summary: () => ({ protocols: inspectReport(policy) }),
    inspect_add: (input, caller) => edit(addInspectEntry, "inspect add", input, caller),
    inspect_remove: (input, caller) => edit(removeInspectEntry, "inspect remove", input, caller),
  };
}

function inspectReport(policy: PolicyStore) {
  return PROTOCOLS.flatMap((protocol) => {
    const block = policy.current.blocks.get(protocol);
    const entries = block?.inspect.map(({ entry }) => entry.text) ?? [];
    return entries.length > 0 ? [{ protocol, entries }] : [];
  });
}

/** Runs work in the order in which it was asked for, each after the one before has ended, well or badly. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const own = last.then(work, work);
    last = own.catch(() => undefined);
    return own;
  };
}

/** "" when there is no file. */
async function sha256OfFile(path: string): Promise<string> {
  try {
    return createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}
