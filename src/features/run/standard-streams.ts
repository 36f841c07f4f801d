// Checks the standard input, output and error that an agent would inherit. A folder would show
// hidden files, and a socket of this machine's network would be a way around the gateway: such a
// run is not started.

import { fstatSync, readFileSync, readlinkSync } from "node:fs";
import { isTerminal } from "../../host/process/descriptor-io.ts";
import { UserError } from "../../model/user-error.ts";

const NAMES = ["standard input", "standard output", "standard error"] as const;
/** Devices that lead nowhere: null, zero, full, random and urandom, all of the major number 1. */
const HARMLESS_DEVICES = new Set([3, 5, 7, 8, 9].map((minor) => 256 + minor));

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
  const found = statOf(fd);
  if (found === undefined || found.isFile() || found.isFIFO()) return undefined;
  if (found.isDirectory()) return "a folder";
  if (found.isSocket()) return isPairOfPipes(fd) ? undefined : "a socket of this machine's network";
  if (found.isCharacterDevice() && (isTerminal(fd) || HARMLESS_DEVICES.has(found.rdev))) return undefined;
  return "a device";
}

function statOf(fd: number) {
  try {
    return fstatSync(fd);
  } catch {
    return undefined;
  }
}

/** Whether a socket is a connected unix stream: what many programs make in place of a pipe. */
function isPairOfPipes(fd: number): boolean {
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
