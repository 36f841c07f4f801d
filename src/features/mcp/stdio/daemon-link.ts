// The wrapper's connection to the daemon: questions with their answers, over one socket. While the
// daemon is away nothing is let through; the next question looks for it again.

import type { McpQuestionRow } from "../../../api/methods/mcp.ts";
import type { RowConnection } from "../../../api/rows/row-connection.ts";
import { openRows } from "../../../api/rows/row-connection.ts";
import type { WaitingCall } from "../../../protocols/mcp/era.ts";
import type { Refusal } from "../../../protocols/refused.ts";
import type { ServerIdentity } from "../../../state/tables/mcp-pins.ts";
import type { JsonObject } from "../../../wire/jsonrpc/message.ts";
import type { RowAnswer } from "../judge/session-rows.ts";

/** The end of a judged request; one of these is called, once. */
export interface JudgedBack {
  go(): void;
  refuse(refusal: Refusal): void;
  /** Nobody waits any more; the approval is still open. */
  parked(waiting: WaitingCall): void;
}

/** A question that was asked. */
export interface AskedQuestion {
  leave(): void;
  park(): void;
  ended(failure?: string): void;
}

const RETRY_MS = 1_000;

/** One session. */
export class McpLink {
  readonly #socketPath: string;
  readonly #input: { readonly name: string; readonly identity: ServerIdentity };
  #connection: RowConnection | undefined;
  #connecting: Promise<RowConnection> | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;
  #next = 1;
  readonly #judging = new Map<number, JudgedBack>();
  readonly #learning = new Map<number, (shown: readonly boolean[] | undefined) => void>();
  readonly #note: (text: string) => void;

  constructor(
    socketPath: string,
    input: { readonly name: string; readonly identity: ServerIdentity },
    note: (text: string) => void,
  ) {
    this.#socketPath = socketPath;
    this.#input = input;
    this.#note = note;
  }

  /** Connects; throws a UserError when no daemon is there, or it does not take the name. */
  async open(): Promise<void> {
    await this.#connect();
  }

  close(): void {
    this.#connection?.close();
  }

  /** Asks about one request. */
  judge(
    request: { readonly method: string; readonly params: JsonObject; readonly exact?: string },
    back: JudgedBack,
  ): AskedQuestion {
    const id = this.#next++;
    this.#judging.set(id, back);
    this.#send({ ask: "judge", id, ...request }, () => this.#refuseUnreachable(id));
    return {
      leave: () => this.#send({ ask: "leave", id }),
      park: () => this.#send({ ask: "park", id }),
      ended: (failure) => this.#send({ ask: "ended", id, ...(failure === undefined ? {} : { failure }) }),
    };
  }

  /** Which items of a page may be shown; undefined when the daemon cannot be asked. */
  learn(
    kind: "tools" | "prompts" | "resources",
    items: readonly unknown[],
    isLast: boolean,
  ): Promise<readonly boolean[] | undefined> {
    return this.#tell({ ask: "learn", kind, items, is_last: isLast });
  }

  /** Whether the server's instructions may be shown. */
  async introduce(said: { title?: string; version?: string; instructions?: string }): Promise<boolean> {
    const shown = await this.#tell({ ask: "introduce", ...said });
    return shown?.[0] === true;
  }

  /** Judges what the server asks of the client in an answer; undefined when it may. */
  asks(request: { readonly method: string; readonly params: JsonObject }): Promise<Refusal | undefined> {
    return new Promise((resolve) => {
      const question = this.judge(request, {
        go: () => {
          question.ended();
          resolve(undefined);
        },
        refuse: resolve,
        parked: () => {},
      });
    });
  }

  #tell(row: Omit<McpQuestionRow, "id">): Promise<readonly boolean[] | undefined> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#learning.set(id, resolve);
      this.#send({ ...row, id }, () => {
        this.#learning.delete(id);
        resolve(undefined);
      });
    });
  }

  #send(row: McpQuestionRow, onFailed: () => void = () => {}): void {
    if (this.#connection !== undefined) {
      this.#connection.send(row);
      return;
    }
    this.#connect().then(
      (connection) => connection.send(row),
      () => onFailed(),
    );
  }

  #connect(): Promise<RowConnection> {
    if (this.#connection !== undefined) return Promise.resolve(this.#connection);
    if (this.#connecting !== undefined) return this.#connecting;
    if (performance.now() - this.#failedAt < RETRY_MS)
      return Promise.reject(new Error("the daemon was just looked for"));
    this.#connecting = openRows(this.#socketPath, "mcp_session", this.#input).then(
      (connection) => {
        this.#connection = connection;
        this.#connecting = undefined;
        connection.onRow((row) => this.#take(row as RowAnswer));
        connection.onClosed((why) => this.#lost(why));
        return connection;
      },
      (error: unknown) => {
        this.#connecting = undefined;
        this.#failedAt = performance.now();
        throw error;
      },
    );
    return this.#connecting;
  }

  #take({ id, say, refusal, approval_id: approvalId = "", state = "", url, shown }: RowAnswer): void {
    if (say === "shown") {
      this.#learning.get(id)?.(shown);
      this.#learning.delete(id);
      return;
    }
    const back = this.#judging.get(id);
    this.#judging.delete(id);
    if (back === undefined) return;
    if (say === "go") back.go();
    else if (say === "parked") back.parked({ approvalId, state, ...(url === undefined ? {} : { url }) });
    else if (say === "refuse" && refusal !== undefined) {
      const { approval_id: asked, to_allow: toAllow, ...rest } = refusal;
      back.refuse({
        ...(rest as Pick<Refusal, "outcome" | "tier" | "command" | "rule" | "reason" | "retry">),
        status: 403,
        ...(asked === undefined ? {} : { approvalId: asked }),
        ...(toAllow === undefined ? {} : { toAllow }),
      });
    } else back.refuse(blocked("too many calls wait at once"));
  }

  #refuseUnreachable(id: number): void {
    const back = this.#judging.get(id);
    this.#judging.delete(id);
    back?.refuse(
      blocked(
        "the iddio daemon does not run, and without it nothing is passed on; the user can start it with: iddio gateway",
      ),
    );
  }

  #lost(why: string): void {
    this.#connection = undefined;
    this.#note(`the connection to the daemon ended: ${why}`);
    for (const id of [...this.#judging.keys()]) this.#refuseUnreachable(id);
    for (const resolve of this.#learning.values()) resolve(undefined);
    this.#learning.clear();
  }
}

function blocked(reason: string): Refusal {
  return { status: 503, outcome: "blocked", tier: "unknown", command: "", rule: "", reason, retry: true };
}
