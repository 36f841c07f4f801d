// The link to Slack by Socket Mode: outgoing WebSockets, no public address. Owns that a link is
// there: it dials again with back-off, opens the next link before Slack closes this one, and says
// each envelope's acknowledgement before anything else is done with it. An envelope that comes
// again, on whichever link, is handled once.

import { backOffMs } from "../../outgoing/back-off.ts";
import { CARD_VERBS, type CardVerb } from "./card.ts";
import { callSlack, objectOf, type SlackApi } from "./slack-api.ts";

/** A click on a card, as Slack says it. Who may answer is not decided here. */
export interface CardClick {
  readonly nonce: string;
  readonly verb: CardVerb;
  /** Where the user belongs, which in a shared channel is not where the channel belongs. */
  readonly team: string;
  readonly user: string;
  readonly channel: string;
}

/** The parts that the link works with. */
export interface SocketModeParts {
  readonly api: SlackApi;
  /** URL of the corporate proxy for an address; "" for none. */
  readonly proxyFor: (url: string) => string;
  readonly onClick: (click: CardClick) => void;
  /** Tells when the link's state changes; undefined: it is there. */
  readonly onTurn: (problem: string | undefined) => void;
}

const DIAL_MS = 15_000;
/** Slack sends a ping every few seconds; a link that is quiet for so long is dead. */
const QUIET_MS = 60_000;
const BROKEN_MS = 60_000;
const FIRST_RETRY_MS = 500;
const MAX_MESSAGE_CHARS = 1024 * 1024;
/** Envelopes that are remembered, so that one that is sent again counts once. */
const REMEMBERED = 5_000;
const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Holds the link until closed. */
export class SocketMode implements Disposable {
  readonly #parts: SocketModeParts;
  readonly #stop = new AbortController();
  readonly #seen = new Set<string>();
  /** Two for a moment, while one is replaced. */
  readonly #open = new Set<WebSocket>();
  /** The link that was dialled last; an earlier link does not decide about the next dial. */
  #newest: WebSocket | undefined;
  #failures = 0;
  #isDialling = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #problem: string | undefined = "the link to Slack is not there yet";

  constructor(parts: SocketModeParts) {
    this.#parts = parts;
    void this.#dial();
  }

  /** Why no click can arrive now; undefined while the link is there. */
  get problem(): string | undefined {
    return this.#problem;
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    clearTimeout(this.#retry);
    for (const socket of this.#open) socket.close();
  }

  async #dial(): Promise<void> {
    if (this.#isDialling || this.#stop.signal.aborted) return;
    this.#isDialling = true;
    clearTimeout(this.#retry);
    const { api } = this.#parts;
    const answer = await callSlack(api, "apps.connections.open", {}, this.#stop.signal, "app");
    this.#isDialling = false;
    if (this.#stop.signal.aborted) return;
    if (answer.kind !== "ok") {
      const reason = "reason" in answer ? answer.reason : `Slack said ${answer.error} to the app's token`;
      return this.#dialLater(reason, answer.kind === "failed" ? (answer.afterMs ?? 0) : BROKEN_MS);
    }
    const url = String(answer.value.url);
    if (!isSocketUrl(url, api.base)) return this.#dialLater("Slack named no address for the link", BROKEN_MS);
    this.#connect(url);
  }

  #dialLater(reason: string, afterMs = 0): void {
    if (this.#stop.signal.aborted) return;
    this.#failures += 1;
    if (this.#open.size === 0) this.#turn(reason);
    clearTimeout(this.#retry);
    const waitMs = backOffMs(this.#failures, afterMs, FIRST_RETRY_MS);
    this.#retry = setTimeout(() => void this.#dial(), waitMs).unref();
  }

  #connect(url: string): void {
    const proxy = this.#parts.proxyFor(url.replace(/^ws/, "http"));
    const socket = new WebSocket(url, proxy === "" ? {} : ({ proxy } as object));
    this.#newest = socket;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const end = (reason: string, afterMs = 0) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      this.#open.delete(socket);
      socket.close();
      // A link that was replaced ends without notice, and so does one whose replacement is on its way.
      if (socket === this.#newest && !this.#isDialling) this.#dialLater(reason, afterMs);
    };
    const watch = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => end("the link to Slack was quiet for too long"), ms).unref();
    };
    watch(DIAL_MS);
    socket.addEventListener("message", ({ data }) => {
      watch(QUIET_MS);
      const text = typeof data === "string" ? data : "";
      if (text.length > MAX_MESSAGE_CHARS) return end("Slack sent a message that is too long");
      const said = objectOf(text);
      if (said?.type === "hello") {
        this.#open.add(socket);
        this.#failures = 0;
        this.#turn(undefined);
      } else if (said?.type === "disconnect") {
        if (said.reason === "link_disabled") end("Socket Mode is turned off for the app", BROKEN_MS);
        // It closes in some seconds: until then both links are open, so that no click falls between them.
        else if (socket === this.#newest) void this.#dial();
      } else if (said !== undefined) this.#envelope(socket, said);
    });
    // Slack's pings; this runtime has the event, its types do not.
    socket.addEventListener("ping" as "message", () => watch(QUIET_MS));
    socket.addEventListener("error", () => end("the link to Slack broke"));
    socket.addEventListener("close", () => end("Slack closed the link"));
    this.#stop.signal.addEventListener("abort", () => end("it is stopping"), { once: true });
  }

  #envelope(socket: WebSocket, said: Readonly<Record<string, unknown>>): void {
    const id = said.envelope_id;
    if (typeof id !== "string" || !ID.test(id)) return;
    socket.send(JSON.stringify({ envelope_id: id }));
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.values().next().value ?? "");
    if (said.type !== "interactive") return;
    const click = clickOf(said.payload);
    if (click !== undefined) this.#parts.onClick(click);
  }

  #turn(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#parts.onTurn(problem);
  }
}

/** The click in a payload; undefined for everything else. The user's own team counts, not the channel's. */
export function clickOf(payload: unknown): CardClick | undefined {
  const { type, user, channel, actions } = (payload ?? {}) as Readonly<Record<string, unknown>>;
  if (type !== "block_actions" || !Array.isArray(actions) || actions.length !== 1) return undefined;
  const { action_id, value } = (actions[0] ?? {}) as Readonly<Record<string, unknown>>;
  const verb = Object.hasOwn(CARD_VERBS, String(action_id))
    ? CARD_VERBS[action_id as keyof typeof CARD_VERBS]
    : undefined;
  const { id, team_id } = (user ?? {}) as Readonly<Record<string, unknown>>;
  const place = ((channel ?? {}) as Readonly<Record<string, unknown>>).id;
  const isWhole = [value, id, team_id, place].every((each) => typeof each === "string" && ID.test(each));
  if (verb === undefined || !isWhole) return undefined;
  return {
    nonce: String(value),
    verb,
    team: String(team_id),
    user: String(id),
    channel: String(place),
  };
}

/** TLS, or this machine itself where the API is on it too. */
function isSocketUrl(url: string, base: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  const isOwn = (name: string) => name === "127.0.0.1" || name === "localhost" || name === "[::1]";
  return protocol === "wss:" || (protocol === "ws:" && isOwn(hostname) && isOwn(new URL(base).hostname));
}
