// Asks the operator's ssh where a name leads by his configuration (`ssh -G`). Nothing is connected
// to. A configuration that throws the keys of hosts away is refused.

import type { DialledTarget } from "../link.ts";
import { configArguments, type SshTarget } from "./upstream-arguments.ts";

const WAIT_MS = 10_000;

/** Finds the host that ssh would connect to; `problem` says why it would not, or why it must not. */
export async function askSsh(
  target: SshTarget,
  env: Readonly<Record<string, string | undefined>>,
): Promise<DialledTarget> {
  const failed = (problem: string): DialledTarget => ({
    host: target.name,
    port: target.port,
    user: target.user,
    problem,
  });
  try {
    const child = Bun.spawn([...configArguments(target)], {
      env: { ...env, IDDIO_SSH_UPSTREAM: "1" },
      cwd: "/",
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: WAIT_MS,
    });
    const [text, problem, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (code !== 0) return failed(problem.trim().split("\n").at(-1) ?? `ssh -G ended with code ${code}`);
    return readConfig(text, target);
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

/** Reads the output of `ssh -G`. */
export function readConfig(text: string, target: SshTarget): DialledTarget {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [name = "", ...rest] = line.split(" ");
    if (!values.has(name)) values.set(name, rest.join(" "));
  }
  const found = {
    host: (values.get("hostname") ?? target.name).toLowerCase(),
    port: Number(values.get("port") ?? target.port),
    user: values.get("user") ?? target.user,
  };
  const files = `${values.get("userknownhostsfile") ?? ""} ${values.get("globalknownhostsfile") ?? ""}`.split(
    " ",
  );
  if (files.some((file) => file === "/dev/null"))
    return {
      ...found,
      problem: "the ssh configuration throws known hosts away (UserKnownHostsFile /dev/null)",
    };
  return found;
}
