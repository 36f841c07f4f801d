// The sessions that a process and its ancestors belong to, by the kernel's word: session ids,
// controlling terminals and start times, which tell a process from a later one with its number.
// Names are not looked at: they can be chosen.

import { readFileSync } from "node:fs";

/** A process as a member of a session. */
export interface SessionMember {
  readonly pid: number;
  readonly parent: number;
  /** The session's id, which is the pid of the process that began it. */
  readonly session: number;
  readonly hasTerminal: boolean;
  /** When it was started, in the system's own unit; equal only for the same process. */
  readonly started: string;
}

/** A process and what started it, nearest first. */
export interface SessionChain {
  readonly members: readonly SessionMember[];
  /** False when it could not be followed to its end. */
  readonly isWhole: boolean;
}

const MAX_DEPTH = 4096;
const PS_MS = 3_000;

/** Looks up one process; undefined when it is gone. */
export type MemberLookUp = (pid: number) => SessionMember | undefined;

/** The chain above a process, itself first. On Linux it is read before this returns, while the process still waits. */
export function sessionChainOf(pid: number): Promise<SessionChain> {
  if (process.platform === "linux") return Promise.resolve(followSessions(pid, linuxMember));
  return darwinMembers().then((all) => followSessions(pid, (each) => all.get(each)));
}

/** Follows parents to the first process of the system. */
export function followSessions(pid: number, lookUp: MemberLookUp): SessionChain {
  const members: SessionMember[] = [];
  const seen = new Set<number>();
  for (let at = pid; at > 1; at = members.at(-1)?.parent ?? 0) {
    const member = lookUp(at);
    if (member === undefined || seen.has(at) || members.length >= MAX_DEPTH)
      return { members, isWhole: false };
    seen.add(at);
    members.push(member);
  }
  return { members, isWhole: members.length > 0 };
}

function linuxMember(pid: number): SessionMember | undefined {
  try {
    return parseSessionStat(pid, readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** Reads proc_pid_stat(5): after the name in parentheses come state, parent, group, session, terminal and, 22nd, the start. */
export function parseSessionStat(pid: number, text: string): SessionMember | undefined {
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .trim()
    .split(" ");
  const [parent, session, terminal] = [fields[1], fields[3], fields[4]].map(Number);
  const started = fields[19];
  if (!Number.isInteger(parent) || !Number.isInteger(session) || started === undefined) return undefined;
  return { pid, parent: parent ?? 0, session: session ?? 0, hasTerminal: terminal !== 0, started };
}

async function darwinMembers(): Promise<ReadonlyMap<number, SessionMember>> {
  const child = Bun.spawn(["/bin/ps", "-axo", "pid=,ppid=,tty=,lstart="], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    timeout: PS_MS,
    env: { LC_ALL: "C" },
  });
  return parseSessionPs(await new Response(child.stdout).text(), await darwinSession());
}

/** Lines of `ps -axo pid=,ppid=,tty=,lstart=`; ps does not print session ids on macOS. */
export function parseSessionPs(
  text: string,
  sessionOf: (pid: number) => number,
): ReadonlyMap<number, SessionMember> {
  const found = new Map<number, SessionMember>();
  for (const line of text.split("\n")) {
    const [, pid, parent, terminal, started] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line) ?? [];
    if (pid === undefined || parent === undefined || started === undefined) continue;
    const session = sessionOf(Number(pid));
    const hasTerminal = terminal !== "??" && terminal !== "-";
    found.set(Number(pid), { pid: Number(pid), parent: Number(parent), session, hasTerminal, started });
  }
  return found;
}

async function darwinSession(): Promise<(pid: number) => number> {
  const { cSymbol } = await import("../../state/c-symbol.ts");
  const getsid = cSymbol<(pid: number) => number>("getsid", { args: ["i32"], returns: "i32" });
  if (getsid === undefined) throw new Error("this system does not tell the session of a process");
  return getsid;
}
