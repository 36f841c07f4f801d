// `iddio approval list|show|allow|deny`: the waiting approvals, and the answers to them. Shows
// every character of an agent's request, with nothing hidden and nothing obeyed by the terminal.

import type { EffectReport } from "../../api/effect-report.ts";
import type { Approval, ApprovalDetails } from "../../api/reports.ts";
import type { CommandContext } from "../../cli/kit/command.ts";
import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { effectLines } from "../../cli/kit/effect-lines.ts";
import type { Output } from "../../cli/kit/output.ts";
import { tierPainter } from "../../cli/kit/tier-painter.ts";
import { commandGroups } from "../../model/command-group.ts";
import { TIERS } from "../../model/tier.ts";
import { UserError } from "../../model/user-error.ts";
import { escapeForTerminal, escapeLinesForTerminal } from "../../text/escape.ts";
import { hostText } from "../../text/host-port.ts";
import { originFacts, requestFacts, shownEvidence, timeLeft } from "./approval-facts.ts";

const REASON_FLAG = {
  name: "reason",
  value: "text",
  summary: "Reason for the audit log and for the client",
};
const DIGEST_FLAG = {
  name: "digest",
  value: "hex",
  summary: "Digest of the request to answer, from 'approval show --json'",
};
const ID_ARGUMENT = { name: "id", completes: "approval" } as const;
const ID_DETAIL = "The id may be given without 'appr_' and cut short as long as it is unique.";

/** Lists the held asks, oldest first. */
export const approvalListCommand: Command = {
  name: "approval list",
  summary: "List the requests that wait for approval",
  flags: [
    { name: "all", summary: "Also what ended undecided within ten minutes and can still be allowed once" },
    JSON_FLAG,
  ],
  async run({ flags, output, daemon }) {
    const waiting: readonly Listed[] = (await daemon.call("approvals_list", {})).approvals;
    const ended = flags.has("all") ? (await daemon.call("approvals_ended", {})).approvals : [];
    const approvals = [...commandGroups(waiting).flat(), ...ended];
    if (flags.has("json")) return void output.json(approvals);
    if (approvals.length === 0) return void output.note("no request waits for approval");
    const paints = await output.loadPaints();
    const paintTier = tierPainter(paints);
    const now = Date.now();
    output.table(
      ["ID", "TIER", "TIME", "RUN", "HOST", "COMMAND", "REQUEST"],
      approvals.map((each) => [
        each.id,
        each.tier,
        each.ended === undefined ? timeLeft(each.expires_ms, now) : ENDED_SHORT[each.ended],
        each.client?.run ?? "-",
        hostText(each),
        commandCell(each),
        `${each.method} ${each.path}`,
      ]),
      (text, column) => (column === 1 ? paintTier(text) : text),
      "break",
    );
    for (const note of commandNotes(waiting)) output.note(paints.faint(note));
  },
};

type Listed = Approval & { readonly ended?: keyof typeof ENDED_SHORT };

const ENDED_SHORT = { timed_out: "timed out", withdrawn: "client left" } as const;

/** The command, with the object that a creation names in its body. */
function commandCell({ command, method, object }: Approval): string {
  const name = command === "" || command === method ? "-" : command;
  return object === undefined ? name : `${name} (${object})`;
}

/** Says which requests are one command's, and how to answer them with one: by the riskiest, which covers most. */
function commandNotes(waiting: readonly Approval[]): string[] {
  return commandGroups(waiting).flatMap((group) => {
    const [first] = group;
    if (first === undefined || group.length < 2) return [];
    const who = escapeForTerminal(first.client?.process ?? "one process");
    const asks = `${who} (pid ${first.client?.pid}) asks ${group.length} times`;
    const [best] = group
      .filter(({ restable }) => restable === true)
      .sort((a, b) => tierRank(b) - tierRank(a));
    return [best === undefined ? asks : `${asks}: iddio approval allow ${best.id} --rest-of-command`];
  });
}

function tierRank({ tier }: Approval): number {
  return tier === "unknown" ? -1 : TIERS.indexOf(tier);
}

/** Prints all that is known of one held request, the body included. */
export const approvalShowCommand: Command = {
  name: "approval show",
  summary: "Show everything about a held request",
  args: [ID_ARGUMENT],
  flags: [JSON_FLAG],
  details: [
    ID_DETAIL,
    "Credentials in headers, and secrets in the body, are shown as ***.",
    "For Kubernetes it also shows the changes and deletions that the request would make. Only a person sees that.",
  ],
  examples: ["iddio approval show a1b2c3d4"],
  async run({ args, flags, output, daemon }) {
    const [id = ""] = args;
    const { approval } = await daemon.call("approvals_show", { id });
    const effect = await effectOf(daemon, approval.id);
    if (flags.has("json")) return void output.json({ ...approval, effect });
    await printDetails(output, approval, effect);
  },
};

/** Asks for the effect; a caller who may not see it gets the reason. */
async function effectOf(daemon: CommandContext["daemon"], id: string): Promise<EffectReport> {
  try {
    return (await daemon.call("approvals_effect", { id })).effect;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { state: "none", about: error.message };
  }
}

/** Lets exactly the one held request go; with --for, also those like it for a while. */
export const approvalAllowCommand: Command = {
  name: "approval allow",
  summary: "Let a held request go",
  args: [ID_ARGUMENT],
  flags: [
    REASON_FLAG,
    {
      name: "for",
      value: "duration",
      kind: "duration",
      summary:
        "Also allow requests like it for this time, at most 24h: same command, host, scope and credential. Not for break-glass, nor for a change that does not name its scope",
    },
    {
      name: "rest-of-command",
      summary:
        "Also allow the further requests of this process for a minute: same host, scope and credential, at most this tier. Never break-glass",
    },
    DIGEST_FLAG,
    JSON_FLAG,
  ],
  details: [ID_DETAIL],
  examples: [
    "iddio approval allow a1b2c3d4",
    'iddio approval allow a1b2 --reason "scheduled maintenance window"',
    "iddio approval allow a1b2 --for 15m",
  ],
  async run(context) {
    const forMs = context.flags.durationMs("for");
    const isRest = context.flags.has("rest-of-command");
    if (isRest && forMs !== undefined)
      throw new UserError("--for and --rest-of-command are two different answers", {
        hint: "give one of them",
        exitCode: 2,
      });
    const input = {
      ...(await answerOf(context)),
      ...(forMs === undefined ? {} : { for_ms: forMs }),
      ...(isRest ? { rest_of_command: true } : {}),
    };
    print(context, await context.daemon.call("approvals_allow", input));
  },
};

/** Refuses a held request. */
export const approvalDenyCommand: Command = {
  name: "approval deny",
  summary: "Refuse a held request",
  args: [ID_ARGUMENT],
  flags: [
    REASON_FLAG,
    {
      name: "instead",
      value: "text",
      summary: "A suggestion to the client, which reads it in its refusal: do this in its place",
    },
    DIGEST_FLAG,
    JSON_FLAG,
  ],
  details: [ID_DETAIL],
  examples: [
    'iddio approval deny a1b2c3d4 --reason "not during business hours"',
    'iddio approval deny a1b2c3d4 --instead "open a pull request"',
  ],
  async run(context) {
    const instead = context.flags.text("instead");
    const input = { ...(await answerOf(context)), ...(instead === undefined ? {} : { instead }) };
    print(context, await context.daemon.call("approvals_deny", input));
  },
};

/** Binds the answer to the request that the id stands for at this moment, where nobody says which was shown. */
async function answerOf({
  args,
  flags,
  daemon,
}: CommandContext): Promise<{ id: string; reason?: string; digest?: string }> {
  const [given = ""] = args;
  const reason = flags.text("reason");
  const { approval } = await daemon.call("approvals_show", { id: given });
  // An older daemon knows no digests.
  const digest = approval.digest === undefined ? undefined : (flags.text("digest") ?? approval.digest);
  return {
    id: approval.id,
    ...(reason === undefined ? {} : { reason }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function print(
  { flags, output }: CommandContext,
  answer: { readonly outcome: string; readonly id: string; readonly note?: string },
): void {
  if (flags.has("json")) output.json(answer);
  else output.line(`${answer.outcome} ${answer.id}${answer.note === undefined ? "" : `: ${answer.note}`}`);
}

const ENDED = {
  timed_out: "expired; allowing it now lets the same request through once",
  withdrawn: "the client has left; allowing it now lets the same request through once",
};

async function printDetails(output: Output, approval: ApprovalDetails, effect: EffectReport): Promise<void> {
  const paints = await output.loadPaints();
  const { bold, faint } = paints;
  output.pairs([
    ["id", approval.id],
    [
      "waits",
      approval.ended === undefined ? timeLeft(approval.expires_ms, Date.now()) : ENDED[approval.ended],
    ],
    ...requestFacts(approval),
    ...originFacts(approval),
  ]);
  output.line(bold("effect"));
  for (const { tone, text } of effectLines(effect)) {
    const paint = tone === "plain" ? String : tone === "strong" ? bold : paints[tone];
    output.line(`  ${paint(escapeForTerminal(text))}`);
  }
  for (const { label, text, pairs } of shownEvidence(approval)) {
    output.line(bold(escapeForTerminal(label.toLowerCase())));
    if (pairs === undefined)
      for (const line of escapeLinesForTerminal(text).split("\n")) output.line(`  ${line}`);
    for (const [name, value] of pairs ?? [])
      output.line(`  ${faint(`${escapeForTerminal(name)}:`)} ${escapeForTerminal(value)}`);
  }
  if (!output.isTerminal) return;
  const id = approval.id.replace("appr_", "");
  const more = [
    ...(approval.grantable ? ["--for 15m"] : []),
    ...(approval.restable ? ["--rest-of-command"] : []),
  ];
  output.note(faint(`iddio approval allow ${id}${more.length === 0 ? "" : ` [${more.join(" | ")}]`}`));
  output.note(faint(`iddio approval deny  ${id} [--reason text] [--instead text]`));
}
