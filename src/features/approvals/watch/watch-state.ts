// The state of the interactive watch, and each key's effect on it. Pure: the clock and the layout
// are handed in. The rules that keep a person from allowing the wrong request are here: no answer
// for half a second after the selection changed, none before the whole command and URL were on the
// screen, none while one is on its way.

import type { EffectReport } from "../../../api/effect-report.ts";
import type { Approval, ApprovalDetails } from "../../../api/reports.ts";
import type { Key } from "../../../cli/kit/terminal/terminal-keys.ts";
import { commandGroups } from "../../../model/command-group.ts";

/** How long keys that answer are ignored after the selection changed. */
export const SETTLE_MS = 500;
/** The key `f` grants for this long. */
export const GRANT_MS = 15 * 60_000;
const NOTES_MAX = 50;
const WORDS_MAX = 200;
const CODE_DIGITS = 6;

/** Everything that the screen is made of. */
export interface WatchState {
  /** Oldest first. */
  readonly approvals: readonly Approval[];
  readonly selectedId: string | undefined;
  readonly selectedSinceMs: number;
  /** All of the selected one, once it was fetched. */
  readonly details: ApprovalDetails | undefined;
  /** The effect of the selected ask, or the reason why there is none; undefined while it is looked up. */
  readonly effect: EffectReport | undefined;
  /** First line of the pane that is shown. */
  readonly top: number;
  /** Lines of the pane that were on the screen, from the first without a gap. */
  readonly seenLines: number;
  /** The id whose answer is on its way to the daemon. */
  readonly answering: string | undefined;
  /** The reason of a denial, as far as it is typed. */
  readonly reason: string | undefined;
  /** The same for what the client is to do instead. */
  readonly instead: string | undefined;
  /** Words were being typed for a request that has gone: until a person has noticed, no key is for another one. */
  readonly hasLost: boolean;
  /** The code of an authenticator, as far as it is typed, for the answer that is on its way. */
  readonly code: string | undefined;
  /** Messages of the past, latest last. */
  readonly notes: readonly string[];
  readonly isConnected: boolean;
}

/** The parts of the screen's geometry that the keys depend on. */
export interface PaneGeometry {
  readonly paneRows: number;
  readonly paneLines: number;
  /** Lines that must have been seen before anything is allowed. */
  readonly mustSee: number;
}

/** The words of a denial to the client. */
interface Words {
  readonly reason?: string;
  readonly instead?: string;
}

/** A key's request to the outside. */
export type WatchAction =
  | {
      readonly kind: "allow";
      readonly id: string;
      readonly digest?: string;
      readonly forMs?: number;
      /** Also allows the further asks of its process. */
      readonly isRest?: true;
    }
  | ({ readonly kind: "deny"; readonly id: string; readonly digest?: string } & Words)
  /** The code that was typed; undefined when the person went back. */
  | { readonly kind: "code"; readonly code: string | undefined }
  | { readonly kind: "quit" }
  | { readonly kind: "suspend" }
  | { readonly kind: "redraw" };

/** Nothing known yet. */
export const EMPTY_WATCH: WatchState = {
  approvals: [],
  selectedId: undefined,
  selectedSinceMs: 0,
  details: undefined,
  effect: undefined,
  top: 0,
  seenLines: 0,
  answering: undefined,
  reason: undefined,
  instead: undefined,
  hasLost: false,
  code: undefined,
  notes: [],
  isConnected: true,
};

/** The selected approval. */
export function selectedOf({ approvals, selectedId }: WatchState): Approval | undefined {
  return approvals.find(({ id }) => id === selectedId);
}

/**
 * Takes over the daemon's list of waiting approvals, with those of one command together; the selection stays where
 * it is as long as it can.
 */
export function withApprovals(state: WatchState, waiting: readonly Approval[], nowMs: number): WatchState {
  const approvals = commandGroups(waiting).flat();
  // An answer is on its way until the answered approval is gone; a second one could only fall on another
  // request.
  const isStill = (id: string | undefined) => {
    const before = state.approvals.find((each) => each.id === id);
    const after = approvals.find((each) => each.id === id);
    return before !== undefined && after !== undefined && isSame(before, after);
  };
  const answering = isStill(state.answering) ? state.answering : undefined;
  const next = { ...state, approvals, answering, code: answering === undefined ? undefined : state.code };
  if (isStill(state.selectedId)) return next;
  // The retry of a client that left takes over its id: another request, which nobody has read yet.
  if (approvals.some(({ id }) => id === state.selectedId)) return lose(next, state.selectedId, nowMs);
  const before = state.approvals.findIndex(({ id }) => id === state.selectedId);
  const still = new Set(approvals.map(({ id }) => id));
  const index = state.approvals.slice(0, Math.max(0, before)).filter(({ id }) => still.has(id)).length;
  return lose(next, approvals[Math.min(index, approvals.length - 1)]?.id, nowMs);
}

/** Selects what stands where the selected request stood. */
function lose(state: WatchState, id: string | undefined, nowMs: number): WatchState {
  const hasLost = state.hasLost || state.reason !== undefined || state.instead !== undefined;
  return { ...select(state, id, nowMs), hasLost };
}

/** Whether two reports are about one request, and not about another that took over its id. */
function isSame(one: Approval, other: Approval): boolean {
  return one.id === other.id && one.created_ms === other.created_ms && one.digest === other.digest;
}

/** Takes the details in, if they are still about the selected one. */
export function withDetails(state: WatchState, details: ApprovalDetails): WatchState {
  const selected = selectedOf(state);
  return selected !== undefined && isSame(selected, details) ? { ...state, details } : state;
}

/** Takes the effect in, if its approval is still the selected one. */
export function withEffect(state: WatchState, asked: Approval, effect: EffectReport): WatchState {
  const selected = selectedOf(state);
  return selected !== undefined && isSame(selected, asked) ? { ...state, effect } : state;
}

/** The digest of the shown approval, for the answer to carry. */
function shownDigest(state: WatchState): { readonly digest?: string } {
  const digest = selectedOf(state)?.digest;
  return digest === undefined ? {} : { digest };
}

/** Adds a line to the notes. */
export function withNote(state: WatchState, note: string): WatchState {
  return { ...state, notes: [...state.notes, note].slice(-NOTES_MAX) };
}

/** Notes which lines of the pane were just drawn. */
export function drawn(state: WatchState, { paneRows, paneLines }: PaneGeometry): WatchState {
  if (state.top > state.seenLines) return state;
  const seenLines = Math.max(state.seenLines, Math.min(paneLines, state.top + paneRows));
  return seenLines === state.seenLines ? state : { ...state, seenLines };
}

/** Forgets which lines were seen: a resize changes the lines. */
export function reflowed(state: WatchState): WatchState {
  return { ...state, top: 0, seenLines: 0 };
}

/** Whether a denial may be sent now. */
export function canAnswer(state: WatchState, nowMs: number): boolean {
  const hasSettled = nowMs - state.selectedSinceMs >= SETTLE_MS;
  return state.selectedId !== undefined && hasSettled && state.answering === undefined && state.isConnected;
}

/** Whether everything that decides was on the screen. */
export function hasSeenRequest(state: WatchState, { mustSee }: PaneGeometry): boolean {
  return state.seenLines >= mustSee;
}

/** Applies one key to the state and returns its request to the outside, if any. */
export function press(
  state: WatchState,
  key: Key,
  geometry: PaneGeometry,
  nowMs: number,
): { readonly state: WatchState; readonly action?: WatchAction } {
  if (key.kind === "char" && key.char === "\x03") return { state, action: { kind: "quit" } };
  if (key.kind === "char" && key.char === "\x1a") return { state, action: { kind: "suspend" } };
  if (state.code !== undefined) return typeCode(state, state.code, key);
  if (state.hasLost) {
    const isNoticed = key.kind === "enter" || key.kind === "escape";
    return { state: isNoticed ? { ...state, hasLost: false, selectedSinceMs: nowMs } : state };
  }
  if (state.reason !== undefined) return typeWords(state, "reason", state.reason, key, nowMs);
  if (state.instead !== undefined) return typeWords(state, "instead", state.instead, key, nowMs);
  // Pasted text was not meant as keys.
  if (key.kind === "paste") return { state };
  const moved = move(state, key, geometry, nowMs);
  if (moved !== undefined) return { state: moved };
  switch (key.kind === "char" ? key.char : "") {
    case "q":
      return { state, action: { kind: "quit" } };
    case "\f":
      return { state, action: { kind: "redraw" } };
    case "a":
      return allow(state, geometry, nowMs, {});
    case "f":
      return state.details?.grantable === true
        ? allow(state, geometry, nowMs, { forMs: GRANT_MS })
        : { state };
    case "g":
      return state.details?.restable === true ? allow(state, geometry, nowMs, { isRest: true }) : { state };
    case "d":
      return deny(state, nowMs, {});
    // Words can be typed at once: letters behind a key that did nothing would be keys.
    case "r":
      return { state: state.selectedId === undefined ? state : { ...state, reason: "" } };
    case "i":
      return { state: state.selectedId === undefined ? state : { ...state, instead: "" } };
    default:
      return { state };
  }
}

function allow(
  state: WatchState,
  geometry: PaneGeometry,
  nowMs: number,
  more: { readonly forMs?: number; readonly isRest?: true },
): { state: WatchState; action?: WatchAction } {
  const id = state.selectedId;
  if (id === undefined || !canAnswer(state, nowMs) || !hasSeenRequest(state, geometry)) return { state };
  const action = {
    kind: "allow",
    id,
    ...shownDigest(state),
    ...more,
  } as const;
  return { state: { ...state, answering: id }, action };
}

function deny(state: WatchState, nowMs: number, words: Words): { state: WatchState; action?: WatchAction } {
  const id = state.selectedId;
  if (id === undefined || !canAnswer(state, nowMs)) return { state };
  const action = { kind: "deny", id, ...shownDigest(state), ...words } as const;
  return { state: { ...state, answering: id, reason: undefined, instead: undefined }, action };
}

/** A key while the words of a denial are typed. A denial without a reason is one; without an alternative it is not that answer. */
function typeWords(
  state: WatchState,
  what: keyof Words,
  typed: string,
  key: Key,
  nowMs: number,
): { state: WatchState; action?: WatchAction } {
  const put = (text: string) => ({ state: { ...state, [what]: text.slice(0, WORDS_MAX) } });
  switch (key.kind) {
    case "escape":
      return { state: { ...state, [what]: undefined } };
    case "enter":
      if (typed.trim() !== "") return deny(state, nowMs, { [what]: typed.trim() });
      return what === "reason" ? deny(state, nowMs, {}) : { state };
    case "backspace":
      return put([...typed].slice(0, -1).join(""));
    case "paste":
      return put(typed + key.text.replaceAll(/\s+/g, " "));
    case "char":
      return key.char < " " ? { state } : put(typed + key.char);
    default:
      return { state };
  }
}

function typeCode(state: WatchState, code: string, key: Key): { state: WatchState; action?: WatchAction } {
  const put = (text: string) => ({
    state: { ...state, code: text.replaceAll(/[^0-9]/g, "").slice(0, CODE_DIGITS) },
  });
  switch (key.kind) {
    case "escape":
      return { state: { ...state, code: undefined }, action: { kind: "code", code: undefined } };
    case "enter":
      return code.length < CODE_DIGITS
        ? { state }
        : { state: { ...state, code: undefined }, action: { kind: "code", code } };
    case "backspace":
      return put(code.slice(0, -1));
    case "paste":
      return put(code + key.text);
    case "char":
      return put(code + key.char);
    default:
      return { state };
  }
}

/** The state after a key that selects or scrolls; undefined for any other key. */
function move(state: WatchState, key: Key, geometry: PaneGeometry, nowMs: number): WatchState | undefined {
  const name = key.kind === "char" ? key.char : key.kind;
  const { approvals, selectedId } = state;
  const at = approvals.findIndex(({ id }) => id === selectedId);
  const go = (index: number) => {
    const id = approvals[Math.min(Math.max(index, 0), approvals.length - 1)]?.id;
    return id === selectedId ? state : select(state, id, nowMs);
  };
  const page = Math.max(1, geometry.paneRows - 1);
  const lastTop = Math.max(0, geometry.paneLines - geometry.paneRows);
  const scroll = (by: number) => ({ ...state, top: Math.min(Math.max(state.top + by, 0), lastTop) });
  switch (name) {
    case "j":
    case "down":
      return go(at + 1);
    case "k":
    case "up":
      return go(at - 1);
    case "home":
      return go(0);
    case "G":
    case "end":
      return go(approvals.length - 1);
    case " ":
    case "page-down":
      return scroll(page);
    case "b":
    case "page-up":
      return scroll(-page);
    default:
      return undefined;
  }
}

function select(state: WatchState, id: string | undefined, nowMs: number): WatchState {
  return {
    ...state,
    selectedId: id,
    selectedSinceMs: nowMs,
    details: undefined,
    effect: undefined,
    top: 0,
    seenLines: 0,
    reason: undefined,
    instead: undefined,
  };
}
