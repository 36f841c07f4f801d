// What somebody wants done, whatever carried it: an HTTP request, a command line, a call of an MCP tool, an SSH channel.
// Grants, approvals, events, notifications, audit rows and the control API read an Ask and know no carrier. A carrier
// does three things: it makes an Ask of the bytes, refuses in the client's language, and reports how it ended.

import type { Classification } from "./classification.ts";
import type { ClientIdentity } from "./entry.ts";

/** Every carrier, spelled as in rows and in the control API. */
export const CARRIERS = ["http", "argv", "mcp", "ssh"] as const;

/** http: a request to a host. argv: a command line that a hook asks about. mcp: a tool call. ssh: a channel. */
export type Carrier = (typeof CARRIERS)[number];

/** Where it would be done. Rows, events and grants have it as `host` and `port`. */
export interface Target {
  /** A host, the name of an MCP server, or what else stands for the place: `shell of claude-code`. */
  readonly name: string;
  /** 0 where the place has none. */
  readonly port: number;
}

/** One thing that a person is shown. Secrets in it are masked; control characters are not yet escaped. */
export interface Evidence {
  /** One or two words, capitalised: `Request`, `Headers`, `Body`, `Command`, `Arguments`, `Folder`. */
  readonly label: string;
  /** One line or many. */
  readonly text: string;
  /** The same as names and values, where it is a list of them; `text` has them one a line. */
  readonly pairs?: readonly (readonly [name: string, value: string])[];
}

/** Who asks. */
export interface Subject {
  /** The process, its user and its `iddio run`, as far as the operating system told. */
  readonly client: ClientIdentity | undefined;
  /**
   * Hash of the credential that it carries, of whom it acts as, and of its run: a grant covers one credential. ""
   * when it carries none.
   */
  readonly credential: string;
  /** The agent that speaks, where it said so itself: a hook knows it. */
  readonly agent?: string;
}

/** What rows, events and log lines carry of the carrier itself; http has `method` and `path`. Secrets are masked. */
export interface AskFields {
  readonly method?: string;
  readonly path?: string;
  readonly [name: string]: string | number | undefined;
}

/** One ask. */
export interface Ask {
  /** Id in rows, events and the log: 16 hex digits. */
  readonly id: string;
  readonly carrier: Carrier;
  readonly target: Target;
  /** What it would do: protocol, tier, command, labels. */
  readonly operation: Classification;
  readonly subject: Subject;
  readonly fields: AskFields;
  /**
   * What a person is shown before deciding. The first is the ask itself in one piece and must have been on the screen;
   * it is never shortened.
   */
  readonly evidence: readonly Evidence[];
  /** Names exactly what would be done, and by whom. It says nothing about what it was made of, so it may be shown. */
  readonly digest: string;
  /** The same ask sent again has the same digest. False where not all of it could be read: then no other is the same. */
  readonly canRecur: boolean;
  /** Unix epoch, milliseconds. */
  readonly startedMs: number;
}

/** What is asked for in one line: the command, or the ask itself where the command says no more than it. */
export function nameOfAsk({ operation, fields, evidence }: Ask): string {
  const { command } = operation;
  return command === "" || command === fields.method ? (evidence[0]?.text ?? "") : command;
}
