// How a program ended, as a shell tells it. Needs nothing but Bun: the bridge of a run loads it.

/** The exit code of a program that has ended; 128 and the number of the signal when one ended it. */
export function shellExitCode({
  exitCode,
  signalCode,
}: Pick<Bun.Subprocess, "exitCode" | "signalCode">): number {
  if (signalCode === null) return exitCode ?? 0;
  const { signals } = process.getBuiltinModule("node:os").constants;
  return 128 + ((signals as Readonly<Record<string, number>>)[signalCode] ?? 0);
}
