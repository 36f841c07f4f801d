// Tells the person at the desktop that something waits. Owns how often: a burst of held requests is
// one notification, and one at a time is shown. It only points to the request; a person decides by
// `approval show`.

import type { Broker, PendingApproval } from "../../gateway/request/broker.ts";
import type { Events } from "../../gateway/request/records/events.ts";
import type { Desktop } from "../../host/process/desktop-notification.ts";
import { nameOfAsk, type Subject, type Target } from "../../model/ask.ts";
import type { Log } from "../../state/log/log.ts";
import { escapeForTerminal } from "../../text/escape.ts";

interface Parts {
  readonly events: Events;
  readonly broker: Broker;
  readonly log: Log;
  readonly desktop: Desktop | undefined;
  /** The setting, asked each time; `alert`: a window, where the desktop has one. */
  readonly setting: () => "on" | "alert" | "off";
}

/** A burst comes together in this time, and the process that asks becomes known. */
const GATHER_MS = 200;
const APART_MS = 3_000;
/** A desktop that did not show one is left alone for a while. */
const AFTER_FAILURE_MS = 5 * 60_000;
const LINE_MAX = 120;
const LISTED_MAX = 3;

/** Shows notifications for held requests until closed; one per daemon. */
export class HoldNotifications {
  readonly #parts: Parts;
  readonly #stop: () => void;
  /** Held since the last notification. */
  #unseen = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #notBefore = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#stop = parts.events.subscribe(({ tag, fields }) => {
      if (tag === "approval_requested") this.#held(String(fields.id));
    });
  }

  close(): void {
    this.#stop();
    clearTimeout(this.#timer);
  }

  #held(id: string): void {
    if (this.#parts.desktop === undefined || this.#parts.setting() === "off") return;
    this.#unseen.add(id);
    const waitMs = Math.max(GATHER_MS, this.#notBefore - performance.now());
    this.#timer ??= setTimeout(() => void this.#show(), waitMs).unref();
  }

  async #show(): Promise<void> {
    const { broker, desktop, log } = this.#parts;
    const waiting = broker.list().filter(({ id }) => this.#unseen.has(id));
    this.#unseen = new Set();
    const [first] = waiting;
    if (first !== undefined && desktop !== undefined) {
      const { title, body } = waiting.length === 1 ? textOfOne(first) : textOfMany(waiting);
      const isShown =
        this.#parts.setting() === "alert" && desktop.alert !== undefined
          ? await desktop.alert(title, body)
          : await desktop.show(title, body);
      if (!isShown) log.debug("no notification could be shown", { program: desktop.program });
      this.#notBefore = performance.now() + (isShown ? APART_MS : AFTER_FAILURE_MS);
    }
    this.#timer = undefined;
    // Show the next ask, which was held while this one was shown.
    const [next] = this.#unseen;
    if (next !== undefined) this.#held(next);
  }
}

function textOfOne(approval: PendingApproval): { readonly title: string; readonly body: string } {
  const { ask, id } = approval;
  const { operation, target, subject } = ask;
  const scope = Object.entries(operation.labels).map(([name, value]) => `${name}=${value}`);
  const lines = [
    `${operation.protocol}: ${nameOfAsk(ask)}`,
    [placeOf(target), ...scope].join(" "),
    ...askedBy(subject),
    `iddio approval show ${id}`,
  ];
  return { title: `iddio: ${operation.tier} request waits`, body: lines.map(clean).join("\n") };
}

function textOfMany(approvals: readonly PendingApproval[]): {
  readonly title: string;
  readonly body: string;
} {
  const listed = approvals
    .slice(0, LISTED_MAX)
    .map(({ ask }) => `${ask.operation.tier}: ${nameOfAsk(ask)} on ${ask.target.name}`);
  const rest = approvals.length - listed.length;
  const lines = [...listed, ...(rest > 0 ? [`and ${rest} more`] : []), "iddio approval list"];
  return { title: `iddio: ${approvals.length} requests wait`, body: lines.map(clean).join("\n") };
}

function askedBy({ client }: Subject): readonly string[] {
  if (client?.run !== undefined) return [`asked by the run ${client.run}`];
  return client?.process === undefined ? [] : [`asked by ${client.process}`];
}

function placeOf({ name, port }: Target): string {
  return port === 443 || port === 0 ? name : `${name}:${port}`;
}

/** One line that shows the client's text and obeys nothing of it. */
function clean(text: string): string {
  const escaped = escapeForTerminal(text);
  return escaped.length <= LINE_MAX ? escaped : `${escaped.slice(0, LINE_MAX - 1)}…`;
}
