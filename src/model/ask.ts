// An Ask is one thing that somebody wants done: an HTTP request, a command line, a call of an MCP
// tool, an SSH channel. Grants, approvals, events, notifications, audit rows and the control API
// read an Ask and know no carrier. A carrier does three things: it makes an Ask of the bytes,
// refuses in the client's language, and reports how it ended.

import type { Classification } from "./classification.ts";
import type { ClientIdentity } from "./entry.ts";

/** Every carrier, spelled as in rows and in the control API. */
export const CARRIERS = ["http", "argv", "mcp", "ssh"] as const;

/** http: a request to a host. argv: a command line that a hook asks about. mcp: a tool call. ssh: a channel. */
export type Carrier = (typeof CARRIERS)[number];

/** Where it would be done. Rows, events and grants have it as `host` and `port`. */
export interface Target {
  /** A host, the name of an MCP server, or another name for the place: `shell of claude-code`. */
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
  /** The same as names and values, where it is a list of them; `text` has one on each line. */
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

/** Fields that the carrier adds to rows, events and log lines; http adds `method` and `path`. Secrets are masked. */
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
  /** Protocol, tier, command and labels, as the classifier read them. */
  readonly operation: Classification;
  readonly subject: Subject;
  readonly fields: AskFields;
  /**
   * A person sees these before deciding. The first is the ask itself in one piece; it must have been on the
   * screen and is never shortened.
   */
  readonly evidence: readonly Evidence[];
  /** Names exactly this ask: the operation and its subject. Its inputs cannot be found from it, so it may be shown. */
  readonly digest: string;
  /** The same ask sent again has the same digest. False where not all of it could be read: then no other is the same. */
  readonly canRecur: boolean;
  /** Unix epoch, milliseconds. */
  readonly startedMs: number;
}

/** Names the ask in one line: its command, or its first evidence when the command only repeats the HTTP method. */
export function nameOfAsk({ operation, fields, evidence }: Ask): string {
  const { command } = operation;
  return command === "" || command === fields.method ? (evidence[0]?.text ?? "") : command;
}
