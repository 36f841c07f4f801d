// The control method that agents' hooks call: a command line is judged by the policy in force,
// recorded, and held for a person where the agent itself cannot ask. Nothing is let through here:
// the requests of an allowed command are judged on the wire too.

import type { ControlHandlers, RowSink } from "../../api/handlers.ts";
import type { HookVerdict } from "../../api/hooks/hook-report.ts";
import { hookVerdictOf } from "../../api/hooks/hook-verdict.ts";
import type { ControlMethods } from "../../api/methods.ts";
import type { Principal } from "../../api/principal.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import { askerOf } from "../../gateway/request/asker.ts";
import type { HoldOutcome } from "../../gateway/request/broker.ts";
import type { Gateway } from "../../gateway/request/context.ts";
import { askDigest } from "../../gateway/request/fingerprint.ts";
import { holdAsk } from "../../gateway/request/hold-ask.ts";
import { randomHex } from "../../gateway/request/random-hex.ts";
import type { RequestResult } from "../../gateway/request/records/recorder.ts";
import { processOf } from "../../host/process/process-tree.ts";
import { userName } from "../../host/process/user-name.ts";
import type { Ask } from "../../model/ask.ts";
import type { ClientIdentity } from "../../model/entry.ts";
import { judgeScript, type ScriptJudgement } from "../../policy/decide/judge-script.ts";
import { maskFreeText } from "../../redaction/mask-text.ts";
import type { StatePaths } from "../../state/paths.ts";
import { HookPlans } from "./hook-plans.ts";

type Input = ControlMethods["hooks_judge"]["input"];

const COMMAND_MAX = 64 * 1024;

/** Adds the method that hooks call; it judges once the gateway runs. */
export function startHooks({ gateway, paths }: DaemonParts): DaemonPart {
  return { handlers: { hooks_judge: handlerOf(gateway, paths) } };
}

function handlerOf(gateway: () => Gateway, paths: StatePaths): ControlHandlers["hooks_judge"] {
  return async (input, caller, sink) => {
    sink.send(await judged(gateway(), paths, input, caller, sink));
  };
}

async function judged(
  gateway: Gateway,
  paths: StatePaths,
  input: Input,
  caller: Principal,
  sink: RowSink<HookVerdict>,
): Promise<HookVerdict> {
  const mode = gateway.mode.current;
  const { policy } = gateway.inspection;
  const client = await clientOf(caller);
  const asker = askerOf(gateway, client);
  const plans = new HookPlans(input);
  const judgement = judgeScript(policy, input.command, asker, plans.read);
  if (mode === "off" || judgement === undefined) return { action: "none", reason: "" };
  const ask = askOf(input, client, judgement, plans);
  gateway.recorder.classified(ask, judgement.verdict);
  if (mode === "observe") {
    gateway.recorder.observed(ask, judgement.verdict, undefined);
    return { action: "none", reason: "" };
  }
  const { action, reason } = judgement.verdict;
  const finish = (result: RequestResult, verdict: HookVerdict): HookVerdict => {
    gateway.recorder.hooked(ask, judgement.verdict, result);
    return verdict;
  };
  const plain = hookVerdictOf(policy, judgement);
  const verdict = plans.told === "" ? plain : { ...plain, reason: `${plain.reason}; ${plans.told}` };
  if (action === "allow") return finish({ outcome: "allowed", decision: "allow" }, verdict);
  if (action === "deny") return finish({ outcome: "refused", decision: "deny", reason }, verdict);
  const kept = await plans.redirection(paths, client.run_id);
  if (kept !== undefined)
    return finish(
      {
        outcome: "refused",
        decision: "deny",
        reason: "a saved plan is applied from the copy that iddio keeps",
      },
      {
        ...verdict,
        action: "deny",
        reason: "the approval is for exactly this plan, so it is applied from the copy that iddio keeps",
        hint: kept,
      },
    );
  if (input.can_ask) return finish({ outcome: "asked", decision: "escalate", reason }, verdict);
  gateway.recorder.escalated(ask, judgement.verdict);
  const held = await holdAsk(gateway.broker, ask, {
    verdict: judgement.verdict,
    again: () => {
      const now = judgeScript(gateway.inspection.policy, input.command, asker, plans.read);
      return now?.verdict.action === "deny"
        ? `the policy changed while it waited: ${now.verdict.reason}`
        : undefined;
    },
    onceOnly: "it is a command line, and each is asked about",
    heldBytes: Buffer.byteLength(input.command),
    onLeave: (left) => {
      sink.signal.addEventListener("abort", left, { once: true });
      if (sink.signal.aborted) left();
      return () => sink.signal.removeEventListener("abort", left);
    },
  });
  return finish(...afterHold(held, verdict, gateway.settings.current.approval_timeout));
}

/** The process that asks; of an agent in a run only the run is known. */
async function clientOf({ uid, pid, run, run_id }: Principal): Promise<ClientIdentity> {
  const found = pid === undefined ? undefined : await processOf(pid);
  return {
    ...(uid === undefined ? {} : { user: userName(uid) }),
    ...(pid === undefined ? {} : { pid }),
    ...(found === undefined ? {} : { process: found.name }),
    ...(run === undefined || run_id === undefined ? {} : { run, run_id }),
  };
}

/** A command line as an ask; rows have it as method `RUN` and as path. */
function askOf(
  { agent, command, cwd }: Input,
  client: ClientIdentity,
  { classification }: ScriptJudgement,
  plans: HookPlans,
): Ask {
  const startedMs = Date.now();
  const name = agent.slice(0, 40);
  const text = maskFreeText(command.slice(0, COMMAND_MAX));
  return {
    id: randomHex(8),
    carrier: "argv",
    target: { name: `shell of ${name}`, port: 0 },
    operation: classification,
    subject: { client, credential: "", agent: name },
    fields: { method: "RUN", path: text },
    evidence: [
      { label: "Command", text },
      ...plans.evidence,
      { label: "Agent", text: agent },
      ...(cwd === undefined ? [] : [{ label: "Folder", text: cwd }]),
    ],
    digest: askDigest("argv", [agent, cwd ?? "", command, client.run_id ?? "", ...plans.digests]),
    canRecur: true,
    startedMs,
  };
}

function afterHold(held: HoldOutcome, verdict: HookVerdict, timeout: string): [RequestResult, HookVerdict] {
  const approvalId = held.id;
  const because = held.reason === undefined ? "" : `: ${held.reason}`;
  // A person who said no has answered: how to get round that is not for the agent to read.
  const { to_allow: _, ...answered } = verdict;
  switch (held.outcome) {
    case "approved":
      return [
        { outcome: "approved", decision: "allow", approvalId },
        { ...verdict, action: "allow", reason: `a person approved it (${approvalId})${because}` },
      ];
    case "denied":
      return [
        { outcome: "denied", decision: "deny", approvalId, ...(held.reason ? { reason: held.reason } : {}) },
        { ...answered, action: "deny", reason: `a person denied it (${approvalId})${because}` },
      ];
    case "timed_out":
      return [
        { outcome: "timed_out", decision: "escalate", approvalId },
        {
          ...verdict,
          action: "deny",
          reason: `nobody answered within ${timeout} (${approvalId})`,
          hint: `ask the user to run: iddio approval allow ${approvalId}; then run the same command again`,
        },
      ];
    case "withdrawn":
      return [
        { outcome: "withdrawn", decision: "escalate", approvalId },
        { ...verdict, action: "deny", reason: `the question was withdrawn${because}` },
      ];
    case "revoked":
      return [
        { outcome: "refused", decision: "deny", approvalId, reason: held.reason ?? "" },
        { ...verdict, action: "deny", reason: held.reason ?? "the policy changed while it waited" },
      ];
    default:
      return [
        { outcome: "refused", decision: "escalate", reason: "too many requests wait for approval" },
        { ...verdict, action: "deny", reason: "too many requests wait for approval" },
      ];
  }
}
