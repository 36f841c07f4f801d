// Judges a shell script: the verdict is the strictest of its programs'. A script that concerns no
// protocol gets none. Agents' hooks ask here, with the daemon and without it.

import { stricterAction } from "../../model/action.ts";
import { type Asker, OUTSIDE } from "../../model/agent-label.ts";
import type { Classification } from "../../model/classification.ts";
import { stricterTier } from "../../model/tier.ts";
import type { Judgement } from "../../model/verdict.ts";
import type { ScriptPart } from "../../protocols/shell/classify-program.ts";
import { classifyScript } from "../../protocols/shell/classify-script.ts";
import type { ShellWord } from "../../protocols/shell/word.ts";
import { type RemoteCall, readSshCommand } from "../../protocols/ssh/ssh-command-line.ts";
import type { Policy } from "../policy.ts";
import { judgeOperation } from "./judge.ts";
import { judgeWish } from "./judge-wish.ts";
import { routeOf } from "./route.ts";

/** A judged script. */
export interface ScriptJudgement extends Judgement {
  /** The program that decided. */
  readonly part: ScriptPart;
}

/** Judges a script, each program of it as `read` has it; undefined when the policy has nothing to say. Of equals the stricter tier counts, then the first. */
export function judgeScript(
  policy: Policy,
  text: string,
  asker: Asker = OUTSIDE,
  read: (part: ScriptPart) => Classification = ({ classification }) => classification,
): ScriptJudgement | undefined {
  let strictest: ScriptJudgement | undefined;
  const remote: RemotePart[] = [];
  const visit = (name: string, words: readonly ShellWord[]) => {
    for (const call of readSshCommand(name, words)) remote.push({ call, words });
  };
  const parts = classifyScript(text, visit);
  for (const each of remote) {
    const judged = judgeRemote(policy, each, asker);
    if (judged !== undefined && (strictest === undefined || isStricter(judged, strictest)))
      strictest = judged;
  }
  for (const part of parts) {
    const classification = read(part);
    // Anyone who does not name a protocol in the policy does not want to be asked about reads of it.
    const isNamed = [policy, policy.central?.policy].some((each) =>
      each?.blocks.has(classification.protocol),
    );
    if (classification.tier === "observe" && !isNamed) continue;
    const judged = { part, ...judgeOperation(policy, classification, asker) };
    if (strictest === undefined || isStricter(judged, strictest)) strictest = judged;
  }
  return strictest;
}

interface RemotePart {
  readonly call: RemoteCall;
  readonly words: readonly ShellWord[];
}

/** The verdict of the `ssh` block on a command for another host; undefined for a host that it does not list. */
function judgeRemote(policy: Policy, { call, words }: RemotePart, asker: Asker): ScriptJudgement | undefined {
  const { host, port, user, wish } = call;
  if (routeOf(policy, { host, port })?.protocol !== "ssh") return undefined;
  const argv = words.map(({ text }) => text);
  const isSure = words.every((word) => word.isSure);
  const judged = judgeWish(policy, wish, { host, hosts: [host], user }, asker);
  return { part: { argv, isSure, classification: judged.classification }, ...judged };
}

function isStricter(one: Judgement, other: Judgement): boolean {
  if (one.verdict.action !== other.verdict.action)
    return stricterAction(one.verdict.action, other.verdict.action) === one.verdict.action;
  const [tier, otherTier] = [one.classification.tier, other.classification.tier];
  return tier !== otherTier && stricterTier(tier, otherTier) === tier;
}
