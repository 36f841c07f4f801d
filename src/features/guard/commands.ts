// `iddio guard …`: the guard of approvals, its level, and the factor: enrol, replace, remove,
// recovery codes. Secrets are shown once, on a terminal; heavy code is loaded only where it runs.

import type { GuardRecovery, GuardReport } from "../../api/daemon-reports.ts";
import { type Command, type CommandContext, JSON_FLAG } from "../../cli/kit/command.ts";
import { UserError } from "../../model/user-error.ts";

const FACTOR_ARGUMENT = { name: "factor", choices: ["passkey", "totp"] } as const;

/** Shows guard and level. */
export const guardStatusCommand: Command = {
  name: "guard status",
  summary: "Show what guards approvals, the level reached and what raises it",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const report = await daemon.call("guard_status", {});
    if (flags.has("json")) output.json(report);
    else output.pairs(pairsOf(report));
    return report.problem === undefined ? 0 : 1;
  },
};

/** Enrols the first factor, or another in its place. */
export const guardEnrollCommand: Command = {
  name: "guard enroll",
  summary: "Enrol a passkey or an authenticator to approve with",
  args: [FACTOR_ARGUMENT],
  flags: [
    {
      name: "recovery",
      value: "code",
      summary: "A recovery code instead of the present factor; the new one decides after ten minutes",
    },
  ],
  details: [
    "The first factor needs root: sudo asks for your password. Replacing one needs the present factor.",
    "totp shows a QR code and asks for the first code; passkey opens a page in the browser.",
  ],
  examples: ["iddio guard enroll passkey", "iddio guard enroll totp"],
  run: enrol,
};

/** Enrols another factor in place of the present one. */
export const guardReplaceCommand: Command = {
  name: "guard replace",
  summary: "Enrol another factor in place of the present one",
  args: [FACTOR_ARGUMENT],
  examples: ["iddio guard replace passkey"],
  async run(context) {
    const { guard } = await context.daemon.call("guard_status", {});
    if (guard !== "totp" && guard !== "passkey")
      throw new UserError("no factor is enrolled", { hint: "iddio guard enroll" });
    return enrol(context);
  },
};

/** Removes the factor. */
export const guardRemoveCommand: Command = {
  name: "guard remove",
  summary: "Remove the factor; the guard is 'session' again",
  async run({ output, daemon }) {
    output.pairs(pairsOf(await daemon.call("guard_remove", {})));
  },
};

/** Makes new recovery codes. */
export const guardRecoveryCommand: Command = {
  name: "guard recovery",
  summary: "Make new recovery codes; the old ones stop working",
  async run({ output, daemon }) {
    printCodes(await daemon.call("guard_recovery", {}), output);
  },
};

async function enrol({ args, flags, output, daemon, paths, env }: CommandContext): Promise<undefined> {
  const factor = args[0] === "totp" ? "totp" : "passkey";
  if (factor === "totp" && !output.isTerminal)
    throw new UserError("the secret is shown on a terminal only", { hint: "run it in a terminal" });
  const recovery = flags.text("recovery");
  const client = recovery === undefined ? daemon : await withRecovery(paths.socket, recovery);
  const begun = await client.call("guard_enroll", { factor });
  const { enrolment } = begun;
  const { askOnTerminal, openPage } = await import("../../cli/kit/show-presence.ts");
  if (begun.url !== undefined) {
    output.note(`Make the passkey on this page: ${begun.url}`);
    openPage(begun.url, env);
    printCodes(await waited(() => daemon.call("guard_confirm", { enrolment })), output);
    return;
  }
  const { renderUnicodeCompact } = await import("uqr");
  const uri = begun.otpauth ?? "";
  output.write(`${renderUnicodeCompact(uri)}\n\n${uri}\n\n`);
  for (;;) {
    const code = askOnTerminal("The code that your authenticator shows now: ");
    if (code === undefined || code === "")
      throw new UserError("nothing was enrolled", { hint: "begin again" });
    const done = await daemon.call("guard_confirm", { enrolment, code }).catch((error: unknown) => {
      if (error instanceof UserError && error.code === "wrong-code") return undefined;
      throw error;
    });
    if (done !== undefined) return printCodes(done, output);
    output.note("This code is not right.");
  }
}

/** A client that proves itself with a recovery code, once. */
async function withRecovery(socket: string, code: string): Promise<CommandContext["daemon"]> {
  const { ControlClient } = await import("../../api/client.ts");
  return new ControlClient(socket, {
    prove: async (_question, last) => (last === undefined ? `recovery ${code}` : undefined),
  });
}

/** Asks again while the page is not done; the daemon waits a moment each time. */
async function waited<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== "unfinished") throw error;
    }
  }
}

function printCodes({ codes, decides_from_ms }: GuardRecovery, output: CommandContext["output"]): undefined {
  output.line("Recovery codes, shown once. Each opens one enrolment if the factor is lost:");
  for (const code of codes) output.line(`  ${code}`);
  if (decides_from_ms > Date.now())
    output.note(`The factor decides from ${new Date(decides_from_ms).toISOString()}.`);
}

/** `L2: claude, ci-1`. */
function runsText(runs: GuardReport["runs"] = []): string | undefined {
  const byLevel = Map.groupBy(runs, ({ level }) => level);
  const parts = [...byLevel].map(([level, of]) => `${level}: ${of.map(({ name }) => name).join(", ")}`);
  return parts.length === 0 ? undefined : parts.join("; ");
}

function pairsOf(report: GuardReport): readonly (readonly [string, string | undefined])[] {
  return [
    ["guard", report.guard],
    ["level", report.level],
    ["why", report.why],
    ["raise", report.raise],
    ["runs", runsText(report.runs)],
    ["problem", report.problem && `decisions are refused: ${report.problem}`],
    [
      "decides",
      report.decides_from_ms === undefined
        ? undefined
        : `from ${new Date(report.decides_from_ms).toISOString()}`,
    ],
    ["recovery", report.recovery_codes === undefined ? undefined : `${report.recovery_codes} codes left`],
  ];
}
