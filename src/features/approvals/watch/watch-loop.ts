// Runs the interactive watch: keys and events in, answers out, one screen. The list is always asked
// of the daemon again, events only say when; so a lost event, or a daemon that was started again,
// leaves nothing wrong for long.

import type { ControlClient, Prover } from "../../../api/client.ts";
import type { PresenceQuestion } from "../../../api/gate.ts";
import type { Approval, EventRow } from "../../../api/reports.ts";
import { isDown } from "../../../cli/kit/is-down.ts";
import { localTime } from "../../../cli/kit/local-time.ts";
import type { Output, Paints } from "../../../cli/kit/output.ts";
import { Terminal } from "../../../cli/kit/terminal/terminal.ts";
import type { Key } from "../../../cli/kit/terminal/terminal-keys.ts";
import type { EventTag } from "../../../model/event.ts";
import { UserError } from "../../../model/user-error.ts";
import { escapeForTerminal } from "../../../text/escape.ts";
import { shortName } from "../approval-facts.ts";
import { layoutOf, renderScreen, type WatchLayout } from "./watch-screen.ts";
import {
  drawn,
  EMPTY_WATCH,
  press,
  reflowed,
  selectedOf,
  type WatchAction,
  type WatchState,
  withApprovals,
  withDetails,
  withEffect,
  withNote,
} from "./watch-state.ts";

/** Countdowns and the half second after a new selection are drawn this often; nothing is sent when nothing changed. */
const TICK_MS = 100;
const RECONNECT_MS = 1000;
const WHO_ASKS_MS = 700;
/** The events after which nobody waits any more. Others, such as that somebody looks at a request, are no news here. */
const ENDS: ReadonlySet<EventTag> = new Set(["approval_replied", "approval_timed_out", "approval_withdrawn"]);

/** The surroundings of the watch. */
export interface WatchParts {
  /** A client that asks here for the proof that a person is present. */
  readonly connect: (prove: Prover) => ControlClient;
  /** Shows a page in the browser where there is one. */
  readonly openPage: (url: string) => void;
}

/**
 * Shows the waiting approvals until the person quits or the signal comes. Throws when there is no daemon at
 * the start.
 */
export async function watchInteractively(
  { connect, openPage }: WatchParts,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  let watch: Watch | undefined;
  const daemon = connect(async (question, last) => watch?.prove(question, last));
  const { approvals } = await daemon.call("approvals_list", {});
  watch = new Watch(daemon, output, await output.loadPaints(), signal, openPage);
  watch.update((state) => withApprovals(state, approvals, Date.now()));
  await watch.run();
}

class Watch {
  readonly #daemon: ControlClient;
  readonly #output: Output;
  readonly #paints: Paints;
  readonly #stop = new AbortController();
  #state: WatchState = EMPTY_WATCH;
  #layout: WatchLayout | undefined;
  #terminal: Terminal | undefined;
  #isListing = false;
  #mustListAgain = false;
  /** Ids answered from here: their events are no news. */
  readonly #own = new Set<string>();
  readonly #openPage: (url: string) => void;
  /** The questions that wait for a code to be typed. */
  #typed: ((code: string | undefined) => void) | undefined;

  constructor(
    daemon: ControlClient,
    output: Output,
    paints: Paints,
    signal: AbortSignal,
    openPage: (url: string) => void,
  ) {
    this.#openPage = openPage;
    this.#daemon = daemon;
    this.#output = output;
    this.#paints = paints;
    signal.addEventListener("abort", () => this.#stop.abort(), { once: true });
    if (signal.aborted) this.#stop.abort();
  }

  async run(): Promise<void> {
    using terminal = new Terminal(this.#output, {
      key: (key) => this.#key(key),
      resized: () => this.update(reflowed),
      gone: () => this.#stop.abort(),
    });
    this.#terminal = terminal;
    this.update((state) => state);
    this.#fetchDetails();
    this.#fetchEffect();
    const ticker = setInterval(() => this.#draw(), TICK_MS);
    try {
      while (!this.#stop.signal.aborted) await this.#follow();
    } finally {
      clearInterval(ticker);
      this.#terminal = undefined;
    }
  }

  /** Changes the state, then what depends on it: layout, screen, details. */
  update(change: (state: WatchState) => WatchState): void {
    const before = this.#state;
    this.#state = change(before);
    // The approval that was to be answered is gone, and with it the question for a code.
    if (this.#state.code === undefined && before.code !== undefined) this.#take(undefined);
    if (this.#terminal === undefined) return;
    this.#layout = layoutOf(this.#state, this.#terminal.size);
    if (before.approvals.length === 0 && this.#state.approvals.length > 0) this.#output.write("\x07");
    this.#draw();
    // Selected again, be it another id or another request that took it over.
    if (
      this.#state.selectedSinceMs !== before.selectedSinceMs ||
      this.#state.selectedId !== before.selectedId
    ) {
      this.#fetchDetails();
      this.#fetchEffect();
    }
  }

  #draw(): void {
    const terminal = this.#terminal;
    if (terminal === undefined) return;
    // Lines of this very frame count as seen in it, so that its last line matches the keys.
    if (this.#layout !== undefined) this.#state = drawn(this.#state, this.#layout);
    terminal.draw(renderScreen(this.#state, this.#layout, terminal.size, Date.now(), this.#paints));
  }

  #key(key: Key): void {
    const geometry = this.#layout;
    // In a terminal too small to show the request nothing is answered.
    const usable = geometry ?? { paneRows: 0, paneLines: 0, mustSee: Number.POSITIVE_INFINITY };
    const { state, action } = press(this.#state, key, usable, Date.now());
    if (action !== undefined && geometry === undefined && (action.kind === "allow" || action.kind === "deny"))
      return;
    if (action?.kind === "code") this.#take(action.code);
    this.update(() => state);
    if (action !== undefined) this.#do(action);
  }

  #do(action: WatchAction): void {
    if (action.kind === "quit") this.#stop.abort();
    else if (action.kind === "suspend") this.#terminal?.suspend();
    else if (action.kind === "redraw") this.#terminal?.forget();
    else if (action.kind !== "code") void this.#answer(action);
  }

  #take(code: string | undefined): void {
    const take = this.#typed;
    this.#typed = undefined;
    take?.(code);
  }

  /**
   * Gets the proof that the daemon asks for before it takes an answer: a code is typed on the last line, a
   * touch is given on a page.
   */
  async prove(question: PresenceQuestion, last: string | undefined): Promise<string | undefined> {
    const note = (text: string) => this.update((state) => withNote(state, stamped(text)));
    if (question.ask === "totp") {
      if (this.#state.answering === undefined) return undefined;
      note(last === undefined ? "this needs a code of your authenticator" : "not right, or used before");
      const typed = new Promise<string | undefined>((resolve) => {
        this.#typed = resolve;
      });
      this.update((state) => ({ ...state, code: "" }));
      const code = await typed;
      return code === undefined ? undefined : `totp ${code}`;
    }
    if (question.ask !== "passkey") return undefined;
    const proof = `passkey ${question.ceremony}`;
    // The daemon waits a moment for the touch at each call; another ceremony means that this one is over.
    if (last !== undefined) return last === proof ? proof : undefined;
    note(`touch your passkey on this page: ${question.url}`);
    this.#openPage(question.url);
    return proof;
  }

  async #answer(action: Extract<WatchAction, { kind: "allow" | "deny" }>): Promise<void> {
    const { id } = action;
    const which = action.digest === undefined ? { id } : { id, digest: action.digest };
    this.#own.add(id);
    const answered = this.#state.approvals.find((each) => each.id === id);
    const what = answered === undefined ? id : escapeForTerminal(`${shortName(answered)} (${id})`);
    try {
      const reply =
        action.kind === "allow"
          ? await this.#daemon.call("approvals_allow", {
              ...which,
              ...(action.forMs === undefined ? {} : { for_ms: action.forMs }),
              ...(action.isRest === true ? { rest_of_command: true } : {}),
            })
          : await this.#daemon.call("approvals_deny", {
              ...which,
              ...(action.reason === undefined ? {} : { reason: action.reason }),
              ...(action.instead === undefined ? {} : { instead: action.instead }),
            });
      const note = `${reply.outcome} ${what}${reply.note === undefined ? "" : `, ${reply.note}`}`;
      this.update((state) => withNote(state, stamped(note)));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const way = error.code === "needs-presence" ? `; type: iddio approval allow ${id}` : "";
      const note = stamped(`not answered: ${escapeForTerminal(error.message)}${way}`);
      this.update((state) => ({ ...withNote(state, note), answering: undefined }));
    }
    await this.#list();
  }

  /** Follows the events until the stream ends; then waits a moment, for a daemon that is being started again. */
  async #follow(): Promise<void> {
    const signal = this.#stop.signal;
    const startedMs = Date.now();
    try {
      await this.#list();
      for await (const row of this.#daemon.stream("events", { follow: true }, signal)) {
        if ("lost" in row) await this.#list();
        else if (row.timestamp_ms >= startedMs) {
          const note = noteOf(row, this.#own);
          if (note !== undefined) this.update((state) => withNote(state, note));
          if (row.tag.startsWith("approval_")) void this.#list();
        }
      }
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.update((state) => ({ ...withApprovals(state, [], Date.now()), isConnected: false }));
      await pause(RECONNECT_MS, signal);
    }
  }

  /** Asks for the list; while one answer is awaited, any number of wishes are one more question. */
  async #list(): Promise<void> {
    if (this.#isListing) {
      this.#mustListAgain = true;
      return;
    }
    this.#isListing = true;
    try {
      do {
        this.#mustListAgain = false;
        const { approvals } = await this.#daemon.call("approvals_list", {});
        this.update((state) => ({ ...withApprovals(state, approvals, Date.now()), isConnected: true }));
      } while (this.#mustListAgain);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (isDown(error))
        this.update((state) => ({ ...withApprovals(state, [], Date.now()), isConnected: false }));
    } finally {
      this.#isListing = false;
    }
  }

  #fetchEffect(): void {
    const asked = selectedOf(this.#state);
    if (asked === undefined) return;
    this.#daemon.call("approvals_effect", { id: asked.id }).then(
      ({ effect }) => this.update((state) => withEffect(state, asked, effect)),
      (error: unknown) => {
        const about = error instanceof UserError ? error.message : String(error);
        this.update((state) => withEffect(state, asked, { state: "none", about }));
      },
    );
  }

  /** Who asks may be found a moment after the request was held, so where that is missing it is asked for once more. */
  #fetchDetails(isAgain = false): void {
    const id = this.#state.selectedId;
    if (id === undefined) return;
    this.#daemon.call("approvals_show", { id }).then(
      ({ approval }) => {
        this.update((state) => withDetails(state, approval));
        if (approval.client?.process !== undefined || isAgain) return;
        setTimeout(() => this.#state.selectedId === id && this.#fetchDetails(true), WHO_ASKS_MS);
      },
      // It was answered meanwhile, or the daemon has gone: the list will say so.
      () => undefined,
    );
  }
}

function noteOf(row: EventRow, own: ReadonlySet<string>): string | undefined {
  if ("lost" in row || !ENDS.has(row.tag)) return undefined;
  const { id, outcome, reason, instead } = row.fields;
  if (row.tag === "approval_replied" && own.has(String(id))) return undefined;
  // The fields of these events are those of an approval.
  const what = escapeForTerminal(`${shortName(row.fields as unknown as Approval)} (${String(id)})`);
  const why = [reason, instead]
    .filter((each) => typeof each === "string" && each !== "")
    .map((each) => `: ${escapeForTerminal(String(each))}`)
    .join("");
  const word = String(outcome ?? row.tag.replace("approval_", "")).replaceAll("_", " ");
  return stamped(`${escapeForTerminal(word)} ${what}${why}`);
}

function stamped(note: string): string {
  return `${localTime(Date.now()).slice(11)}  ${note}`;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
