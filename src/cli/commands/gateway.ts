// `iddio gateway`: the daemon in the foreground. All it knows of the daemon is how to start and stop it.

import { BUILD_VERSION } from "../../version.ts";
import type { Command } from "../kit/command.ts";

/** Runs the daemon until SIGINT or SIGTERM. */
export const gatewayCommand: Command = {
  name: "gateway",
  summary: "Run the gateway in this terminal",
  flags: [{ name: "start", summary: "The same; for scripts that say so" }],
  examples: ["iddio gateway"],
  async run({ env, output, interrupted }) {
    const { startGateway } = await import("../../gateway/start.ts");
    const signal = interrupted();
    // Other programs of this user must not read the keys in our memory, nor change what we decide.
    if (process.platform === "linux") (await import("../../host/sandbox/libc.ts")).forbidTracing();
    const gateway = await startGateway({ env, version: BUILD_VERSION });
    output.note(`iddio ${BUILD_VERSION} listens on ${gateway.listen}; Ctrl-C ends it`);
    if (signal.aborted) await gateway.stop();
    else signal.addEventListener("abort", () => void gateway.stop(), { once: true });
    await gateway.stopped;
  },
};
