// This program as a command that starts it again now. In a file of its own, and without imports: an agent waits for
// what is started by it.

/** The words that start this program again; from source that is Bun and the script. */
export function ownProgram(): readonly string[] {
  return Bun.main.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, Bun.main];
}
