// doctor: whether SSH to the policy's hosts goes through iddio: the program that reaches them, and
// the configuration by which clients do, which must name the hosts that the policy names now.

import { readFile } from "node:fs/promises";
import type { CheckContext, Finding } from "../../cli/kit/check.ts";
import { findSystemTool } from "../../host/process/system-tool.ts";
import { parsePolicy } from "../../policy/parse/parse.ts";

/** Nothing to say without an `ssh` block. */
export async function checkSsh({ paths, env }: Pick<CheckContext, "paths" | "env">): Promise<Finding> {
  const about = { check: "ssh", lookedAt: paths.sshKnownHosts };
  const parsed = parsePolicy(await readFile(paths.policy, "utf8").catch(() => ""));
  const entries = "policy" in parsed ? (parsed.policy.blocks.get("ssh")?.inspect ?? []) : [];
  if (entries.length === 0)
    return { ...about, verdict: "skip", detail: "the policy lists no host under ssh" };
  if (findSystemTool("ssh", env) === undefined)
    return {
      ...about,
      verdict: "fail",
      detail: "there is no ssh program of the system, so no host of the ssh block can be reached",
      fix: "install OpenSSH's client",
    };
  const known = await readFile(paths.sshKnownHosts, "utf8").catch(() => undefined);
  const fix = "iddio ssh-config";
  if (known === undefined)
    return { ...about, verdict: "warn", detail: "no client has a configuration to go through iddio", fix };
  const names = new Set(known.split("\n").map((line) => line.split(" ")[0] ?? ""));
  const missing = entries.find(
    ({ entry: { kind, host, port } }) =>
      (kind === "host" || kind === "address") &&
      !names.has(port === 22 ? host : port === undefined ? host : `[${host}]:${port}`),
  );
  return missing === undefined
    ? { ...about, verdict: "ok", detail: `clients know iddio's key for ${entries.length} entries` }
    : {
        ...about,
        verdict: "warn",
        detail: `the configuration of clients does not have ${missing.entry.text}`,
        fix,
      };
}
