// `iddio run --best-effort` where no sandbox can be had: the program runs with the person's own
// rights and is only asked to use the gateway, by variables that it can unset. Says so, every time.

import { shellExitCode } from "../../host/process/exit-code.ts";
import type { RunContext } from "./start-run.ts";

/** Runs a command without a sandbox and gives its exit code. */
export async function runUnconfined(
  { env, daemon, paths, note }: RunContext,
  command: readonly string[],
  why: string,
): Promise<number> {
  note(
    `iddio: NO SANDBOX (${why}): the agent can read your files, leave the gateway and answer its own approvals`,
  );
  const { proxy_listen } = await daemon.call("status", {});
  const proxy = `http://${proxy_listen}`;
  const names = ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"];
  const trust = [
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "CURL_CA_BUNDLE",
  ];
  const child = Bun.spawn([...command], {
    stdio: ["inherit", "inherit", "inherit"],
    env: {
      ...env,
      ...Object.fromEntries(names.map((name) => [name, proxy])),
      ...Object.fromEntries(trust.map((name) => [name, paths.bundle])),
      NODE_USE_ENV_PROXY: "1",
    },
  });
  // Typed at the program, which shares our terminal.
  for (const signal of ["SIGINT", "SIGQUIT"]) process.on(signal, () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  await child.exited;
  return shellExitCode(child);
}
