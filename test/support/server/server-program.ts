// The compiled program as a control plane: `iddio server` on a PostgreSQL, as a process of its own on
// port 0.

import { builtBinary } from "../built-binary.ts";
import { COMPILED_ONCE } from "../clients.ts";

/** A running `iddio server`. */
export interface ServerProgram extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  kill(): Promise<void>;
}

/** Starts it on a database that is migrated; `secret` is the file of its secret, `flags` are further ones. */
export async function startServerProgram(
  database: string,
  secret: string,
  home: string,
  flags: readonly string[] = [],
): Promise<ServerProgram> {
  const args = ["server", "--listen", "127.0.0.1:0", "--secret-file", secret, ...flags];
  const child = Bun.spawn([builtBinary(), ...args], {
    env: {
      ...{ PATH: process.env.PATH ?? "", HOME: home, IDDIO_HOME: home, DATABASE_URL: database },
      ...COMPILED_ONCE,
    },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const reader = child.stderr.getReader();
  const decoder = new TextDecoder();
  let said = "";
  while (!said.includes("listens on")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(said);
    said += decoder.decode(value);
  }
  reader.releaseLock();
  // The pipe is read on, so that the server never waits for it.
  void child.stderr.pipeTo(new WritableStream()).catch(() => undefined);
  const kill = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return {
    pid: child.pid,
    url: /listens on (http\S+);/.exec(said)?.[1] ?? "",
    kill,
    [Symbol.asyncDispose]: kill,
  };
}
