// This program as a command that starts it again now. In a file of its own, and without imports: an
// agent waits for the program that it starts.

/** The words that start this program again; from source that is Bun and main.ts. */
export function ownProgram(): readonly string[] {
  if (Bun.main.startsWith("/$bunfs/")) return [process.execPath];
  return [process.execPath, import.meta.dir.replace(/host\/process$/, "main.ts")];
}
