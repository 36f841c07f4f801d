// Checks the standard input, output and error that an agent would inherit. A folder would show
// hidden files, and a socket of this machine's network would be a way around the gateway: such a
// run is not started.

import { isTerminal } from "../../host/process/descriptor-io.ts";
import { descriptorStatus } from "../../host/process/file-status.ts";
import { UserError } from "../../model/user-error.ts";

const NAMES = ["standard input", "standard output", "standard error"] as const;
/** Devices that lead nowhere: null, zero, full, random and urandom. */
const HARMLESS_DEVICES = new Set(["1:3", "1:5", "1:7", "1:8", "1:9"]);
const KIND = 0o170000;
const KINDS: ReadonlyMap<number, string> = new Map([
  [0o010000, "pipe"],
  [0o020000, "character device"],
  [0o040000, "folder"],
  [0o100000, "file"],
  [0o140000, "socket"],
]);

/** Throws a UserError when one of this process's standard streams must not be handed to an agent. */
export function checkStandardStreams(): void {
  for (const [fd, name] of NAMES.entries()) {
    const problem = streamProblem(fd);
    if (problem !== undefined)
      throw new UserError(`the agent would inherit ${problem} as its ${name}`, {
        hint: "give it a terminal, a file, a pipe or /dev/null",
      });
  }
}

/** Says why a descriptor must not be handed over; undefined for terminals, files, pipes and closed ones. */
export function streamProblem(fd: number): string | undefined {
  const found = descriptorStatus(fd) ?? statusByNode(fd);
  if (found === undefined) return undefined;
  const kind = KINDS.get(found.mode & KIND);
  if (kind === "file" || kind === "pipe") return undefined;
  if (kind === "folder") return "a folder";
  if (kind === "socket") return isPairOfPipes(fd) ? undefined : "a socket of this machine's network";
  if (kind === "character device" && (isTerminal(fd) || HARMLESS_DEVICES.has(found.device))) return undefined;
  return "a device";
}

/** By node:fs, which takes a third of a start to load: for what is unusual. */
function statusByNode(fd: number): { readonly mode: number; readonly device: string } | undefined {
  try {
    const { mode, rdev } = process.getBuiltinModule("node:fs").fstatSync(fd);
    return { mode, device: `${rdev >> 8}:${rdev & 0xff}` };
  } catch {
    return undefined;
  }
}

/** Whether a socket is a connected unix stream: what many programs make in place of a pipe. */
function isPairOfPipes(fd: number): boolean {
  const { readFileSync, readlinkSync } = process.getBuiltinModule("node:fs");
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    // Num: RefCount Protocol Flags Type St Inode Path; type 1 is a stream, state 3 connected.
    return readFileSync("/proc/net/unix", "utf8")
      .split("\n")
      .some((line) => {
        const fields = line.split(/ +/);
        return inode !== undefined && fields[6] === inode && fields[4] === "0001" && fields[5] === "03";
      });
  } catch {
    return false;
  }
}
