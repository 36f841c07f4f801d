// The interactive watch as lines of a screen. Pure: state, size and clock in, lines out. ASCII
// only, for terminals of every kind; text from a request is escaped, and in the pane broken rather
// than cut, so that nothing of a command or URL is ever hidden.

import type { Approval } from "../../../api/reports.ts";
import { effectLines } from "../../../cli/kit/effect-lines.ts";
import type { Paints } from "../../../cli/kit/output.ts";
import { tierPainter } from "../../../cli/kit/tier-painter.ts";
import { escapeForTerminal } from "../../../text/escape.ts";
import { hostText } from "../../../text/host-port.ts";
import { breakColumns, cutColumns, wrapWords } from "../../../text/wrap.ts";
import {
  type Fact,
  labelText,
  originFacts,
  requestFacts,
  shortName,
  shownEvidence,
  wholeSeconds,
} from "../approval-facts.ts";
import { canAnswer, hasSeenRequest, type PaneGeometry, selectedOf, type WatchState } from "./watch-state.ts";

/** Columns and rows. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** A line of the pane: the name in a column of its own, then the text. */
interface PaneLine {
  readonly name: string;
  readonly text: string;
}

/** Where everything goes; computed when state or size changed, not at each tick of the clock. */
export interface WatchLayout extends PaneGeometry {
  readonly size: ScreenSize;
  readonly listRows: number;
  readonly lines: readonly PaneLine[];
}

const SMALLEST: ScreenSize = { columns: 40, rows: 12 };
const NAME_COLUMNS = 12;
/** Header, two rules, the line of what happened last, the keys. */
const FIXED_ROWS = 5;
/** Below this a countdown is red. */
const HURRY_MS = 10_000;

/** The layout for this state; undefined when the terminal is too small for anybody to decide by. */
export function layoutOf(state: WatchState, size: ScreenSize): WatchLayout | undefined {
  if (size.columns < SMALLEST.columns || size.rows < SMALLEST.rows) return undefined;
  const listRows = Math.min(state.approvals.length, Math.max(3, Math.floor(size.rows / 3)));
  const paneRows = size.rows - FIXED_ROWS - listRows;
  const selected = selectedOf(state);
  // One column stays free: a line that fills the last one is wrapped by some terminals.
  const width = size.columns - 1;
  const must = selected === undefined ? [] : requestFacts(selected).flatMap((fact) => factLines(fact, width));
  const lines = selected === undefined ? [] : [...must, ...moreLines(state, selected, width)];
  return { size, listRows, paneRows, lines, paneLines: lines.length, mustSee: must.length };
}

/** The whole screen, exactly as many lines as it has rows. */
export function renderScreen(
  state: WatchState,
  layout: WatchLayout | undefined,
  size: ScreenSize,
  nowMs: number,
  paints: Paints,
): string[] {
  if (layout === undefined) {
    const text = `this terminal is too small: ${SMALLEST.columns}x${SMALLEST.rows} is the least`;
    return filled(wrapWords(text, Math.max(1, size.columns - 1)), size.rows);
  }
  const width = size.columns - 1;
  const rule = (text: string) => paints.faint(`${text}${"-".repeat(Math.max(0, width - text.length))}`);
  const keys = keyLine(state, layout, nowMs, width, paints);
  if (state.approvals.length === 0) {
    const room = size.rows - 4;
    const notes = state.notes.slice(-room).map((note) => cutColumns(note, width));
    return [...filled([header(state, width, paints), rule(""), ...notes], size.rows - 2), rule(""), keys];
  }
  const shown = layout.lines.slice(state.top, state.top + layout.paneRows);
  const hidden = layout.paneLines - state.top - shown.length;
  return [
    header(state, width, paints),
    ...listLines(state, layout, nowMs, width, paints),
    rule(state.top > 0 ? `-- ${state.top} lines above (b) ` : ""),
    ...filled(
      shown.map(({ name, text }) => paints.faint(name.padEnd(NAME_COLUMNS)) + text),
      layout.paneRows,
    ),
    rule(hidden > 0 ? `-- ${hidden} more lines (space) ` : ""),
    paints.faint(cutColumns(state.notes.at(-1) ?? "", width)),
    keys,
  ];
}

function header({ approvals, selectedId, isConnected }: WatchState, width: number, paints: Paints): string {
  if (!isConnected) return paints.bad(cutColumns("the daemon is not running; waiting for it", width));
  if (approvals.length === 0) return paints.bold("no request waits for approval");
  const at = approvals.findIndex(({ id }) => id === selectedId) + 1;
  if (approvals.length === 1) return paints.bold("1 request waits for approval");
  return paints.bold(cutColumns(`${approvals.length} requests wait for approval, this is ${at}`, width));
}

/** The part of the list around the selection. */
function listLines(
  { approvals, selectedId }: WatchState,
  { listRows }: WatchLayout,
  nowMs: number,
  width: number,
  paints: Paints,
): string[] {
  const paintTier = tierPainter(paints);
  const at = Math.max(
    0,
    approvals.findIndex(({ id }) => id === selectedId),
  );
  const first = Math.min(Math.max(0, at - Math.floor(listRows / 2)), approvals.length - listRows);
  const rest = width - 2 - 6 - 2 - 11 - 2 - 2;
  const isOneCommand = (each: Approval, other: Approval | undefined) =>
    each.group !== undefined && each.group === other?.group;
  const hostColumns = Math.min(30, Math.floor(rest * 0.4));
  return approvals.slice(first, first + listRows).map((each, index) => {
    // Further requests of one command are below its first one.
    const mark = isOneCommand(each, approvals[first + index - 1]) ? "+ " : "";
    const isSelected = each.id === selectedId;
    const left = Math.max(0, each.expires_ms - nowMs);
    const time = clock(left).padStart(6);
    const command = cell(mark + oneLine(each), rest - hostColumns);
    return [
      isSelected ? "> " : "  ",
      left < HURRY_MS ? paints.bad(time) : time,
      "  ",
      paintTier(each.tier) + " ".repeat(11 - each.tier.length),
      "  ",
      isSelected ? paints.bold(command) : command,
      "  ",
      cutColumns(escapeForTerminal(hostText(each)), hostColumns),
    ].join("");
  });
}

function oneLine(approval: Approval): string {
  const { object } = approval;
  const what = object === undefined ? shortName(approval) : `${shortName(approval)} (${object})`;
  const scope = labelText(approval.labels);
  return escapeForTerminal(scope === undefined ? what : `${what}  ${scope}`);
}

/** Everything beside the request itself: why, who, headers and body. */
function moreLines(
  { details, effect, approvals }: WatchState,
  selected: Approval,
  width: number,
): PaneLine[] {
  const shown = effect === undefined ? LOOKING : effectLines(effect);
  const lines = shown.flatMap(({ text }, index) => factLines([index === 0 ? "effect" : "", text], width));
  // The others of one process are one command's: `g` may answer them all.
  const others = approvals.filter(
    ({ id, group }) => group !== undefined && group === selected.group && id !== selected.id,
  );
  const facts = [
    ...others.map((each, index): Fact => [index === 0 ? "and also" : "", `${each.tier}  ${shortName(each)}`]),
    ...originFacts(details ?? selected),
    ["id", selected.id] as const,
  ].flatMap((fact) => factLines(fact, width));
  lines.push(...facts);
  if (details === undefined) return lines;
  for (const { label, text, pairs } of shownEvidence(details)) {
    const name = label.toLowerCase();
    for (const [index, [field, value]] of (pairs ?? []).entries())
      lines.push(...factLines([index === 0 ? name : "", `${field}: ${value}`], width));
    if (pairs !== undefined) continue;
    lines.push({ name: escapeForTerminal(name), text: "" });
    for (const line of text.split("\n"))
      for (const piece of breakColumns(escapeForTerminal(line), width - NAME_COLUMNS))
        lines.push({ name: "", text: piece });
  }
  return lines;
}

const LOOKING = [{ text: "looking ..." }];

function factLines([name, value]: Fact, width: number): PaneLine[] {
  if (value === undefined) return [];
  const pieces = breakColumns(escapeForTerminal(value), width - NAME_COLUMNS);
  return pieces.map((text, index) => ({ name: index === 0 ? name : "", text }));
}

function keyLine(
  state: WatchState,
  layout: WatchLayout,
  nowMs: number,
  width: number,
  paints: Paints,
): string {
  if (state.code !== undefined)
    return typedLine("code", state.code, "(enter sends, esc goes back)", width, paints);
  if (state.hasLost)
    return paints.warn("the request that you were writing about has gone: press enter".slice(0, width));
  if (state.reason !== undefined)
    return typedLine("reason", state.reason, "(enter denies, esc goes back)", width, paints);
  if (state.instead !== undefined)
    return typedLine("do instead", state.instead, "(enter denies and says so, esc goes back)", width, paints);
  if (state.approvals.length === 0) return "q quit";
  if (state.answering !== undefined) return paints.faint("answering ...");
  const isGrantable = state.details?.grantable === true;
  const isRestable = state.details?.restable === true;
  const [answers, others] = hasSeenRequest(state, layout)
    ? [
        [
          "a allow",
          ...(isGrantable ? ["f allow for 15m"] : []),
          ...(isRestable ? ["g rest of command"] : []),
          "d deny",
          "r deny+why",
          "i do instead",
        ],
        [
          "a allow",
          ...(isGrantable ? ["f 15m"] : []),
          ...(isRestable ? ["g rest"] : []),
          "d deny",
          "r why",
          "i instead",
        ],
      ]
    : [
        ["space reads on, then a allows", "d deny", "r deny+why", "i do instead"],
        ["space reads on", "d deny", "r why"],
      ];
  const tail = ["j/k select", ...(layout.paneLines > layout.paneRows ? ["space more"] : []), "q quit"];
  const variants = [
    [answers, tail],
    [answers, []],
    [others, []],
    [["a allow", "d deny", "r why", "i instead"], []],
  ].map((parts) => parts.map((part) => (part ?? []).join("  ")));
  const lengthOf = (parts: readonly string[]) => parts.filter((part) => part !== "").join("  ").length;
  const fits = variants.find((parts) => lengthOf(parts) <= width) ?? variants.at(-1);
  const [first = "", second = ""] = fits ?? [];
  const painted = canAnswer(state, nowMs) ? paints.bold(first) : paints.faint(first);
  return second === "" ? painted : `${painted}  ${paints.faint(second)}`;
}

function typedLine(name: string, typed: string, keys: string, width: number, paints: Paints): string {
  const help = width < 60 ? "" : `   ${keys}`;
  // The end of the typed text stays in sight.
  const room = Math.max(1, width - `${name}: _`.length - help.length);
  const shown = breakColumns([...escapeForTerminal(typed)].reverse().join(""), room)[0] ?? "";
  return `${name}: ${[...shown].reverse().join("")}_${paints.faint(help)}`;
}

/** `0:27`, rounded up so that it is over when it shows zero. */
function clock(ms: number): string {
  const seconds = wholeSeconds(ms) / 1000;
  const two = (value: number) => String(value).padStart(2, "0");
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)}h${two(Math.floor((seconds % 3600) / 60))}m`;
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

function cell(text: string, columns: number): string {
  const cut = cutColumns(text, columns);
  // Counted as it was cut: beyond ASCII two columns a character.
  const used = [...cut].reduce((sum, each) => sum + (each >= " " && each <= "~" ? 1 : 2), 0);
  return cut + " ".repeat(Math.max(0, columns - used));
}

function filled(lines: readonly string[], rows: number): string[] {
  return [...lines.slice(0, rows), ...Array<string>(Math.max(0, rows - lines.length)).fill("")];
}
