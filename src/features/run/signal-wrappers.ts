// bubblewrap's own process is in the agent's group and would die of its Ctrl-C. GNU's env starts it
// with those signals ignored, and the agent with them back; where env cannot, Ctrl-C ends the whole
// run.

import { readFile } from "node:fs/promises";

const ENV = "/usr/bin/env";
const NAMES = "INT,QUIT,TERM,HUP";

/** The commands that start bubblewrap, and the agent in it. */
export async function signalWrappers(env = ENV): Promise<readonly [readonly string[], readonly string[]]> {
  // Not tried: two more programs at every start take longer than to look for the words of its options.
  const program = await readFile(env).catch(() => Buffer.alloc(0));
  const can = program.includes("ignore-signal") && program.includes("default-signal");
  return can
    ? [
        [env, `--ignore-signal=${NAMES}`],
        [env, `--default-signal=${NAMES}`],
      ]
    : [[], []];
}
