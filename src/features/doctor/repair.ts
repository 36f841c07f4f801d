// `iddio repair`: makes the repairs that `doctor` advises, looks again, and lists the rest for a
// person. Decides nothing itself: the checks find the problems, carry-out.ts fixes them.

import type { Finding } from "../../cli/kit/check.ts";
import { type Command, type CommandContext, JSON_FLAG } from "../../cli/kit/command.ts";
import { type Installation, installationOf, SYSTEM_FLAG } from "../../cli/kit/installation/installation.ts";
import { UserError } from "../../model/user-error.ts";

const ROUNDS = 3;

/** Repairs; exit code 1 when something is left that fails. */
export const repairCommand: Command = {
  name: "repair",
  summary: "Fix the problems that doctor finds",
  flags: [
    SYSTEM_FLAG,
    { name: "dry-run", summary: "Print the planned changes and make none" },
    { name: "trust-ca", summary: "Only have this system trust the CA (asks for root)" },
    { name: "untrust-ca", summary: "Only have this system forget every iddio CA (asks for root)" },
    JSON_FLAG,
  ],
  examples: ["iddio repair --dry-run", "iddio repair --trust-ca"],
  async run(context) {
    const { flags, output } = context;
    if (flags.has("trust-ca") && flags.has("untrust-ca"))
      throw new UserError("--trust-ca and --untrust-ca are each other's opposite", { exitCode: 2 });
    const isTrustOnly = flags.has("trust-ca") || flags.has("untrust-ca");
    if (isTrustOnly) return trustOnly(context);
    const installation = installationOf(context);
    refuseForeignRoot(installation);

    const { examine, findingsJson, isHealthy, printFindings } = await import("./examine.ts");
    const { carryOut, describeRepair, planRepairs, problemWith } = await import("./carry-out.ts");
    const isDry = flags.has("dry-run");
    const isJson = flags.has("json");
    const done: string[] = [];
    const impossible = new Set<string>();
    let { findings, service } = await examine(installation, await context.features());
    // A repair may bring to light what needs another: a new authority, for one, must be trusted again.
    for (let round = 0; round < ROUNDS; round += 1) {
      const plan = planRepairs(findings).filter((repair) => !done.includes(describeRepair(repair)));
      if (plan.length === 0) break;
      for (const repair of plan) {
        const text = describeRepair(repair);
        // Asked in advance by both, so that a dry run never promises a step that a repair then refuses.
        let problem = await problemWith(repair, installation, service);
        if (problem === undefined) {
          if (!isJson) output.line(`${isDry ? "would " : ""}${text}`);
          done.push(text);
          if (isDry) continue;
          problem = await carryOut(repair, installation, service).then(() => undefined, userError);
        }
        if (problem === undefined) continue;
        impossible.add(text);
        if (!isJson)
          output.note(`${problem.message}${problem.hint === undefined ? "" : ` (${problem.hint})`}`);
        // Later repairs may need this one; the next look finds them again.
        break;
      }
      if (isDry) break;
      ({ findings, service } = await examine(installation, await context.features()));
      if (impossible.size > 0) break;
    }
    const willRemain = ({ repairs = [] }: Finding) =>
      !isDry || repairs.length === 0 || repairs.some((repair) => !done.includes(describeRepair(repair)));
    const left = findings.filter((finding) => finding.verdict === "fail" && willRemain(finding));
    const healthy = isHealthy(findings);
    if (isJson) {
      const names = left.map(({ check }) => check);
      output.json({ dry_run: isDry, repairs: done, left: names, healthy, findings: findingsJson(findings) });
      return left.length === 0 ? 0 : 1;
    }
    if (left.length > 0) {
      output.note(isDry ? "would be left for you:" : "left for you:");
      await printFindings(left, output);
    } else if (done.length === 0) output.note("nothing to repair");
    else if (!isDry) output.note("repaired");
    return left.length === 0 ? 0 : 1;
  },
};

function userError(error: unknown): UserError {
  if (error instanceof UserError) return error;
  throw error;
}

/** A user cannot read the files that root writes into his directory. */
function refuseForeignRoot({ scope, env }: Installation): void {
  if (scope === "system" || process.getuid?.() !== 0 || !env.SUDO_USER || env.SUDO_USER === "root") return;
  throw new UserError("sudo would repair root's installation, not yours", {
    hint: "iddio repair without sudo; only --trust-ca and --untrust-ca need it",
    exitCode: 2,
  });
}

async function trustOnly(context: CommandContext): Promise<number> {
  const { flags, output, env } = context;
  const { trustCa, untrustCa } = await import("../../cli/kit/installation/trust-ca.ts");
  const { invokingUser } = await import("../../cli/kit/installation/invoking-user.ts");
  // `sudo iddio repair --trust-ca`: about the CA of the one who typed it.
  const user = flags.has("system") ? { paths: installationOf(context).paths, env } : await invokingUser(env);
  if (flags.has("dry-run")) {
    const what = flags.has("trust-ca")
      ? `have ${user.paths.caCertificate} trusted`
      : "have every iddio CA forgotten";
    output.line(`would ${what}`);
    return 0;
  }
  const lines = await (flags.has("trust-ca") ? trustCa : untrustCa)(user.paths, user.env, (line) =>
    output.note(line),
  );
  if (flags.has("json")) output.json({ places: lines });
  else for (const line of lines) output.line(line);
  if (lines.length === 0 && !flags.has("json")) output.note("no iddio CA was trusted");
  return 0;
}
