// Tells what an allow by a tool's spelling lets through beside the command that it names. Requests
// do not say which command sent them, so an allow of `s3 cp` is one of every other command that
// sends the same, and of what a body makes of its operations.

import type { Protocol } from "../../model/protocol.ts";
import { TIERS } from "../../model/tier.ts";
import type { KnownOperation } from "../../protocols/known-operation.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { decideByTable } from "../decide/decide.ts";
import { type CommandSelector, withoutProgram } from "../decide/rule-table.ts";
import type { PolicyProblem } from "../parse/problems.ts";
import type { ProtocolBlock, RuleTable } from "../policy.ts";
import { nameListsOf, type ProtocolNames } from "./name-list.ts";

/** Commands that a message names. */
const MOST_NAMED = 4;

/** Warnings about the commands that the rules of one table allow by a tool's spelling. */
export function allowedAlong(block: ProtocolBlock, table: RuleTable): readonly PolicyProblem[] {
  const allows = table.rules.filter(({ action }) => action === "allow");
  const listed = [
    ...new Map(allows.flatMap(({ commands }) => commands).map((one) => [one.path, one])).values(),
  ];
  return listed.flatMap((command) => {
    const sent = changesOf(block.protocol, command);
    if (sent.size === 0) return [];
    const place = { path: command.path ?? "", line: command.at?.line ?? 1, column: command.at?.column ?? 1 };
    return [
      othersAlong(block.protocol, command, sent, listed),
      stricterAlong(block, table, command, sent),
    ].flatMap((told) => (told === undefined ? [] : [{ ...place, ...told, severity: "warning" as const }]));
  });
}

/** Operations by their command, each with the name by which it was meant. */
type Changes = ReadonlyMap<string, NonNullable<ReturnType<ProtocolNames["requestOf"]>>>;

type Told = Pick<PolicyProblem, "message" | "hint">;

/** The operations that a tool's spelling means and that change something, with their tiers; none for another name. */
function changesOf(protocol: Protocol, command: CommandSelector): Changes {
  const text = plainText(protocol, command.text);
  if (/[*?{[]/.test(text) || nameListsOf(protocol).requests.has(text) || !isOfTool(protocol, text))
    return new Map();
  const meant = command.globs.filter((glob) => command.onlyRestricting?.includes(glob) !== true);
  return changing(
    protocol,
    meant.flatMap(({ fixed, isExact }) => (isExact ? [fixed] : [])),
  );
}

function isOfTool(protocol: Protocol, text: string): boolean {
  const { vocabulary } = classifierFor(protocol);
  // Of a type and a verb the order tells: `pods delete` is the API's.
  if (protocol === "kubectl") return vocabulary?.toolCommandsLike?.(text) !== undefined;
  return (vocabulary?.meaningOf(vocabulary.plainName?.(text.split(" ")) ?? text) ?? []).length > 0;
}

function changing(protocol: Protocol, names: readonly string[]): Changes {
  const { requestOf } = nameListsOf(protocol);
  return new Map(
    names.flatMap((name) => {
      const found = requestOf(name);
      return found === undefined || found.operation.tier === "observe"
        ? []
        : [[found.operation.command, found] as const];
    }),
  );
}

/** Other commands of the tool that send the same. Those that are listed are meant. */
function othersAlong(
  protocol: Protocol,
  command: CommandSelector,
  sent: Changes,
  listed: readonly CommandSelector[],
): Told | undefined {
  const { vocabulary } = classifierFor(protocol);
  if (vocabulary === undefined) return undefined;
  const own = plainText(protocol, command.text);
  const others = listed.filter((one) => one !== command);
  const [whole, part] = [[] as string[], new Map<string, string[]>()];
  const meant = new Set(others.map(({ text }) => plainText(protocol, text)));
  // An operation that is listed by its own name is meant, too.
  const unsaid = [...sent].flatMap(([name, { operation }]) =>
    others.some((one) => !isOfTool(protocol, plainText(protocol, one.text)) && isAbout(one, operation))
      ? []
      : [name],
  );
  const shared = new Set<string>();
  const plain = vocabulary.plainName?.(own.split(" ")) ?? own;
  const program = command.text.trim().toLowerCase().startsWith(own)
    ? ""
    : `${command.text.trim().split(/\s+/)[0]} `;
  for (const other of vocabulary.toolCommandsLike?.(own) ?? vocabulary.toolCommands()) {
    if (other === own || other === plain || meant.has(other)) continue;
    const changes = changing(protocol, vocabulary.meaningOf(other));
    const same = unsaid.filter((name) => changes.has(name));
    if (same.length === 0) continue;
    for (const name of same) shared.add(name);
    // A kind of an operation is let through with it.
    const missing = [...changes].flatMap(([name, { operation, spelling }]) =>
      sent.has(name) || sent.has(operation.kindOf ?? "") ? [] : [spelling],
    );
    const text = `'${program}${other}'`;
    if (missing.length === 0) whole.push(text);
    else part.set(listOf(missing), [...(part.get(listOf(missing)) ?? []), text]);
  }
  if (shared.size === 0) return undefined;
  const clauses = [
    ...(whole.length === 0 ? [] : [listOf(whole)]),
    ...[...part].map(([missing, texts]) => `${listOf(texts)} except what needs ${missing}`),
  ];
  const apart = [...sent].flatMap(([name, { spelling }]) => (shared.has(name) ? [] : [spelling]));
  return {
    message: `an allow of '${command.text}' also lets through ${clauses.join("; ")}, as the requests are the same`,
    hint:
      apart.length === 0
        ? "list them, too, if that is meant; nothing in the requests tells them apart"
        : `list them, too, if that is meant; only '${command.text}' sends ${listOf(apart)}`,
  };
}

/** Tells what a body or a header makes of the operations, where the table allows it, too. */
function stricterAlong(
  block: ProtocolBlock,
  table: RuleTable,
  command: CommandSelector,
  sent: Changes,
): Told | undefined {
  const { protocol } = block;
  const { isJudgedByBody } = classifierFor(protocol);
  for (const { operation, spelling } of sent.values()) {
    const { command: name, aliases, tier } = operation;
    if (tier === "unknown" || isJudgedByBody?.(name) !== true) continue;
    const stricter = TIERS.slice(TIERS.indexOf(tier) + 1).filter((raised) => {
      const asked = { protocol, tier: raised, command: name, aliases, labels: {}, reason: "" };
      return decideByTable(block, table, asked).action === "allow";
    });
    if (stricter.length === 0) continue;
    return {
      message: `an allow of '${command.text}' lets ${spelling} through even where its body makes it ${stricter.join(" or ")}`,
      hint: `a rule by command wins over one by tier; only a deny of tier ${stricter.join(" and ")} beside it wins over both`,
    };
  }
  return undefined;
}

function isAbout({ globs, onlyRestricting }: CommandSelector, { command, aliases }: KnownOperation): boolean {
  return globs.some(
    (glob) =>
      onlyRestricting?.includes(glob) !== true &&
      [command, ...aliases].some((name) => glob.test(name.toLowerCase())),
  );
}

function plainText(protocol: Protocol, text: string): string {
  return withoutProgram(protocol, text.trim().split(/\s+/)).join(" ").toLowerCase();
}

function listOf(texts: readonly string[]): string {
  const shown = texts.slice(0, MOST_NAMED);
  const rest = texts.length - shown.length;
  if (rest > 0) return `${shown.join(", ")} and ${rest} more`;
  return [shown.slice(0, -1).join(", "), ...shown.slice(-1)].filter((text) => text !== "").join(" and ");
}
