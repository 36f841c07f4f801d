// `iddio gateway`: the daemon in the foreground. All it knows of the daemon is how to start and
// stop it, and whose installation is meant.

import { UserError } from "../../model/user-error.ts";
import { BUILD_VERSION } from "../../version.ts";
import type { Command, CommandContext } from "../kit/command.ts";

/** Where only the whole system's installation exists, its daemon is meant, and only root can run that. */
async function environmentOf({ env, paths }: CommandContext): Promise<CommandContext["env"]> {
  const { statePaths } = await import("../../state/paths.ts");
  if (paths.root === statePaths(env).root) return env;
  if (process.getuid?.() !== 0)
    throw new UserError(
      `iddio is installed for the whole system ('${paths.root}'), where only root can run it`,
      {
        hint: "sudo iddio gateway; a daemon of your own: IDDIO_HOME=~/.iddio iddio gateway",
      },
    );
  const owner = env.IDDIO_OWNER ?? env.SUDO_UID;
  // Parts of the daemon ask the process whose it is.
  if (owner !== undefined) process.env.IDDIO_OWNER = owner;
  return {
    ...env,
    IDDIO_HOME: paths.root,
    IDDIO_CONFIG: paths.config,
    ...(owner === undefined ? {} : { IDDIO_OWNER: owner }),
  };
}

/** Runs the daemon until SIGINT or SIGTERM. */
export const gatewayCommand: Command = {
  name: "gateway",
  summary: "Run the gateway in this terminal",
  flags: [{ name: "start", summary: "The same; for scripts that say so" }],
  examples: ["iddio gateway"],
  async run(context) {
    (await import("../../host/process/memory/kept-memory.ts")).keepFreedMemory();
    const { output, interrupted } = context;
    const env = await environmentOf(context);
    const { startGateway } = await import("../../gateway/start.ts");
    const signal = interrupted();
    // Other programs of this user must not read the keys in our memory, nor change what we decide.
    if (process.platform === "linux") (await import("../../host/sandbox/libc.ts")).forbidTracing();
    const gateway = await startGateway({ env, version: BUILD_VERSION });
    if (process.platform === "linux")
      (await import("../../host/process/memory/start-pages.ts")).unmapStartLater();
    output.note(`iddio ${BUILD_VERSION} listens on ${gateway.listen}; Ctrl-C ends it`);
    if (signal.aborted) await gateway.stop();
    else signal.addEventListener("abort", () => void gateway.stop(), { once: true });
    await gateway.stopped;
  },
};
