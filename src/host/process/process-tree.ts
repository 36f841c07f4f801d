// Reads the system's facts about a process: its name, its program, its user, and the chain of
// processes that started it. The process itself, or anyone who started it, can choose these names:
// they are for people to read, never to decide by.

import { readFileSync, readlinkSync } from "node:fs";
import { userName } from "./user-name.ts";

/** One process. */
export interface ProcessRecord {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** File that it was started from; absent where the system does not say. */
  readonly program?: string;
  readonly user?: string;
}

/** Chains are short; a longer one is a trick. */
const MAX_ANCESTORS = 16;
const PS_MS = 3_000;

/** A process that runs; undefined when it is gone or cannot be seen. */
export async function processOf(pid: number): Promise<ProcessRecord | undefined> {
  if (process.platform === "linux") return linuxProcess(pid);
  return process.platform === "darwin" ? (await psProcesses()).get(pid) : undefined;
}

/** The processes above one, nearest first, up to but without the first process of the system. */
export async function ancestorsOf(pid: number): Promise<readonly ProcessRecord[]> {
  if (process.platform === "linux") return chain(pid, linuxProcess);
  if (process.platform !== "darwin") return [];
  const all = await psProcesses();
  return chain(pid, (each) => all.get(each));
}

/** Follows parents; ends at a process that cannot be looked up, at process 1, and at a loop. */
export function chain(
  pid: number,
  lookUp: (pid: number) => ProcessRecord | undefined,
): readonly ProcessRecord[] {
  const found: ProcessRecord[] = [];
  const seen = new Set([pid]);
  let parent = lookUp(pid)?.parent ?? 0;
  while (parent > 1 && !seen.has(parent) && found.length < MAX_ANCESTORS) {
    const next = lookUp(parent);
    if (next === undefined) break;
    seen.add(parent);
    found.push(next);
    parent = next.parent;
  }
  return found;
}

/** Reads proc_pid_stat(5); about 0.1 ms. */
function linuxProcess(pid: number): ProcessRecord | undefined {
  let stat: { readonly name: string; readonly parent: number } | undefined;
  let user: string | undefined;
  try {
    stat = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
    const uid = /^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    user = uid === undefined ? undefined : userName(Number(uid));
  } catch {
    // It has ended.
  }
  if (stat === undefined) return undefined;
  const program = programOf(pid);
  return {
    pid,
    parent: stat.parent,
    name: stat.name,
    ...(program === undefined ? {} : { program }),
    ...(user === undefined ? {} : { user }),
  };
}

/** `pid (name) state ppid …`; the name may hold anything, parentheses and line ends too. */
export function parseStat(text: string): { readonly name: string; readonly parent: number } | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  const parent = Number(
    text
      .slice(close + 1)
      .trim()
      .split(" ")[1],
  );
  if (open < 0 || close < open || !Number.isInteger(parent)) return undefined;
  return { name: text.slice(open + 1, close), parent };
}

function programOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "");
  } catch {
    // Another user's process does not tell.
    return undefined;
  }
}

async function psProcesses(): Promise<ReadonlyMap<number, ProcessRecord>> {
  const child = Bun.spawn(["/bin/ps", "-axo", "pid=,ppid=,user=,comm="], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    env: {},
    cwd: "/",
    timeout: PS_MS,
  });
  return parsePs(await new Response(child.stdout).text());
}

/** Lines of `ps -axo pid=,ppid=,user=,comm=`; on macOS `comm` is the path of the program, blanks and all. */
export function parsePs(text: string): ReadonlyMap<number, ProcessRecord> {
  const found = new Map<number, ProcessRecord>();
  for (const line of text.split("\n")) {
    const [, pid, parent, user = "", program = ""] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line) ?? [];
    if (pid === undefined) continue;
    const name = program.slice(program.lastIndexOf("/") + 1);
    found.set(Number(pid), {
      pid: Number(pid),
      parent: Number(parent),
      name,
      ...(program.startsWith("/") ? { program } : {}),
      user,
    });
  }
  return found;
}
