// The messages between a session and the daemon: lines of JSON over the session's stdin and stdout.
// The session speaks SSH and starts the operator's `ssh`; the daemon decides what each channel may
// do, and a session that loses the daemon ends.

import { PURGE_DELAY } from "../../host/process/memory/purge-delay.ts";
import type { OtherUser } from "../../host/process/other-user.ts";
import type { FileOperation } from "../../protocols/ssh/file-operation.ts";

/** The daemon's first message to a session. */
export interface SessionStart {
  /** The name that the client asked for, in the operator's own words where they differ from the host. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The octets that the client has sent already, in base64; its connection is the descriptor CONNECTION_FD. */
  readonly first: string;
  /** The private key that the client is shown a signature of. */
  readonly hostKey: string;
  /** The same key's certificate for the names of this host, in base64. */
  readonly hostCertificate: string;
  /** The operator's ssh, and his configuration where it is not the usual file. */
  readonly program: string;
  readonly config: string | undefined;
  /** The operator's agent of keys; never offered to the remote side. */
  readonly agentSocket: string | undefined;
  /** A folder for the log of each upstream connection; others may not write into it. */
  readonly scratch: string;
  /** Whose rights the operator's ssh has, where the daemon is root's. */
  readonly runAs: OtherUser | undefined;
}

/**
 * A transfer takes new memory for every packet. By itself the allocator gives pages back at once, only to have each
 * of them cleared and mapped again: half of all that a transfer costs. So it keeps them for this long.
 */
export const SESSION_MEMORY = { [PURGE_DELAY]: "5000" };

/** Where a session process has its client's connection. */
export const CONNECTION_FD = 3;

/** A channel's wish. */
export type Wish =
  | { readonly kind: "exec"; readonly command: string; readonly pty: boolean }
  | { readonly kind: "shell" }
  | { readonly kind: "subsystem"; readonly name: string }
  | { readonly kind: "forward"; readonly what: ForwardKind; readonly detail: string }
  | {
      readonly kind: "file";
      readonly operation: FileOperation;
      readonly paths: readonly string[];
      /** The channel, so that one answer may count for a whole transfer. */
      readonly channel: number;
    };

/** Everything of SSH that carries other connections or keys. */
export type ForwardKind =
  | "direct-tcpip"
  | "tcpip-forward"
  | "direct-streamlocal"
  | "streamlocal-forward"
  | "x11"
  | "auth-agent"
  | "tun";

/** How a channel that went on ended. */
export interface ChannelEnd {
  readonly code: number | undefined;
  readonly toRemote: number;
  readonly fromRemote: number;
  /** Of one whole file. */
  readonly sha256?: string;
  readonly reason?: string;
}

/** A line from a session. */
export type FromSession =
  | { readonly type: "login"; readonly id: number; readonly user: string; readonly target: DialledTarget }
  | { readonly type: "ask"; readonly id: number; readonly wish: Wish }
  | { readonly type: "left"; readonly id: number }
  | { readonly type: "end"; readonly id: number; readonly end: ChannelEnd };

/** Where the operator's ssh would connect to, as it says itself. */
export interface DialledTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Set when ssh itself refuses the name, or its configuration cannot be used. */
  readonly problem?: string;
}

/** How a channel is to be recorded. */
export interface RecordingOrder {
  /** A file that is not there yet. */
  readonly path: string;
  /** Its first line. */
  readonly header: Readonly<Record<string, unknown>>;
  /** Whether content is kept, or only lengths and times. */
  readonly isFull: boolean;
  readonly isTerminal: boolean;
  /** Whether keystrokes in a terminal are kept too. */
  readonly keepsTyped: boolean;
  /** Bytes of content. */
  readonly limit: number;
  /** Whether the channel ends when it cannot be recorded. */
  readonly endsOnFailure: boolean;
}

/** A line from the daemon. */
export type ToSession =
  | { readonly type: "start"; readonly start: SessionStart }
  | { readonly type: "held"; readonly id: number; readonly text: string }
  | { readonly type: "go"; readonly id: number; readonly recording?: RecordingOrder }
  /** A person ends the session. */
  | { readonly type: "stop"; readonly id: number }
  | { readonly type: "refuse"; readonly id: number; readonly text: string };
