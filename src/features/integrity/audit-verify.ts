// `iddio audit verify`: whether a chained audit log is whole. Reads the files itself, needs no
// daemon, changes nothing. Prints the last row, which is what to keep elsewhere: with it a later
// run tells whether rows are missing at the end.

import type { Command } from "../../cli/kit/command.ts";
import { JSON_FLAG } from "../../cli/kit/command.ts";
import { UserError } from "../../model/user-error.ts";
import type { ChainReport, ExpectedRow } from "./verify-chain.ts";

/** Verifies the chain and the checkpoints. */
export const auditVerifyCommand: Command = {
  name: "audit verify",
  summary: "Check that no row of a chained audit log was changed or removed",
  args: [{ name: "file", isOptional: true, isRest: true, completes: "file" }],
  flags: [
    {
      name: "expect",
      value: "seq:hash",
      isRepeatable: true,
      summary: "Row known from another source, such as a collector's last row",
    },
    { name: "key", value: "base64", summary: "Public key that every checkpoint must be signed with" },
    JSON_FLAG,
  ],
  details: [
    "Rows are chained while the setting audit_chain is on. Without files it reads",
    "audit.jsonl and the copies beside it (audit.jsonl.1), oldest first. A chain",
    "cannot tell that rows are missing at its end: --expect and --key do, with what",
    "you kept elsewhere. Exit code 1 when something does not hold.",
  ],
  examples: ["iddio audit verify", "iddio audit verify --expect 18211:9f86d081… audit.jsonl.1 audit.jsonl"],
  async run({ args, flags, output, paths }) {
    const { verifyFiles } = await import("./verify-files.ts");
    const { files, report } = await verifyFiles(paths.audit, args, flags.texts("expect").map(expectedRow));
    const key = flags.text("key");
    const strange = key === undefined ? [] : report.keys.filter((each) => each !== key);
    const isWhole = report.breaks.length === 0 && strange.length === 0;
    if (flags.has("json")) output.json(reportJson(report, files, strange));
    else {
      if (report.linkedRows === 0)
        throw new UserError(`no row of ${files.join(", ")} is chained`, {
          hint: "iddio settings set audit_chain=on",
        });
      for (const { file, line, what } of report.breaks)
        output.line(line === 0 ? `${file}: ${what}` : `${file}:${line}: ${what}`);
      if (report.hasMoreBreaks) output.line("…");
      for (const each of strange) output.line(`a checkpoint is signed with another key: ${each}`);
      output.line(isWhole ? summaryOf(report) : "the audit log is not whole");
      if (isWhole && report.head !== undefined)
        output.line(`last row: ${report.head.seq}:${report.head.hash}`);
    }
    return isWhole ? 0 : 1;
  },
};

function summaryOf({ linkedRows, plainRows, beginnings, checkpoints, keys }: ChainReport): string {
  const plain = plainRows === 0 ? "" : `, ${plainRows} rows are outside of it`;
  const from = beginnings > 1 ? ` in ${beginnings} pieces` : "";
  const signed = keys.length === 0 ? "" : ` signed with ${keys.join(", ")}`;
  return `the chain of ${linkedRows} rows is whole${from}${plain}; ${checkpoints} checkpoints${signed}`;
}

function reportJson(report: ChainReport, files: readonly string[], strange: readonly string[]): object {
  return {
    files,
    is_whole: report.breaks.length === 0 && strange.length === 0 && report.linkedRows > 0,
    linked_rows: report.linkedRows,
    plain_rows: report.plainRows,
    beginnings: report.beginnings,
    checkpoints: report.checkpoints,
    keys: report.keys,
    strange_keys: strange,
    ...(report.head === undefined ? {} : { head: report.head }),
    breaks: report.breaks,
  };
}

function expectedRow(text: string): ExpectedRow {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  if (match?.[1] !== undefined && match[2] !== undefined) return { seq: Number(match[1]), hash: match[2] };
  throw new UserError(`expected seq:hash, got '${text}'`, {
    exitCode: 2,
    hint: "as `iddio audit verify` prints it behind 'last row'",
  });
}
