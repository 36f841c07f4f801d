// Whether a program works as the daemon of this state directory: starts it, waits until it answers
// as the version that it should be, and ends it again. For updates, before anything is replaced;
// nobody else may hold the directory.

import { ControlClient } from "../../api/client.ts";
import { programEnvironment } from "../../host/process/environment.ts";
import { FIRST_START_MS } from "../../host/service/first-start.ts";
import type { StatePaths } from "../../state/paths.ts";

const STOP_WITHIN_MS = 15_000;
const POLL_MS = 50;

/** Undefined when it works, else the problem. Nothing of it runs any more when this resolves. */
export async function tryDaemon(
  program: string,
  version: string,
  paths: StatePaths,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const child = Bun.spawn([program, "gateway", "--start"], {
    env: { ...programEnvironment(env), IDDIO_HOME: paths.root, IDDIO_CONFIG: paths.config },
    cwd: "/",
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = new Response(child.stderr).text().catch(() => "");
  try {
    const control = new ControlClient(paths.socket, { timeoutMs: 1000 });
    for (const deadline = performance.now() + FIRST_START_MS; performance.now() < deadline; ) {
      if (child.exitCode !== null || child.signalCode !== null)
        return `${version} ended at its start: ${lastLine(await said)}`;
      const status = await control.call("status", {}).catch(() => undefined);
      if (status?.pid === child.pid)
        return status.build_version === version ? undefined : `it says that it is ${status.build_version}`;
      await Bun.sleep(POLL_MS);
    }
    return `${version} does not answer ${FIRST_START_MS / 1000}s after its start`;
  } finally {
    child.kill();
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
    await child.exited;
    clearTimeout(late);
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) || "it said nothing";
}
