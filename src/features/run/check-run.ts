// `iddio run --check`: the same sandbox as for an agent, with a probe in it instead, and a table of
// the findings. The bridge proves that the network is closed and a first step inside that no secret
// is readable, as before every start: when either fails, nothing is started and the table says so.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CommandContext } from "../../cli/kit/command.ts";
import { bubblewrapVersion, findBubblewrap, isRestrictedByAppArmor } from "../../host/sandbox/bubblewrap.ts";
import { UserError } from "../../model/user-error.ts";
import { type RunOptions, startRun } from "./start-run.ts";

/** One line of the table. */
interface Row {
  readonly what: string;
  readonly holds: boolean;
  readonly found: string;
}

/** Prints to a file in the fresh /var/tmp facts that only a process inside can tell. */
const PROBE = [
  "grep -E '^(NoNewPrivs|Seccomp|CapEff|CapBnd):' /proc/self/status > /var/tmp/check",
  "sed -n '3,$s/^ *\\([^:]*\\):.*/Interface: \\1/p' /proc/net/dev >> /var/tmp/check",
  'echo "Processes: $(ls /proc | grep -c "^[0-9]")" >> /var/tmp/check',
  "if unshare -U true 2>/dev/null; then echo 'Namespaces: yes'; else echo 'Namespaces: no'; fi >> /var/tmp/check",
].join("\n");

/** Starts a probe and prints its table; the code is 0 when everything holds. */
export async function checkRun(
  { paths, env, daemon, output, flags }: CommandContext,
  options: RunOptions,
): Promise<number> {
  const rows: Row[] = [];
  try {
    const path = findBubblewrap();
    rows.push({ what: "bubblewrap", holds: true, found: `${await bubblewrapVersion(path)} at ${path}` });
    if (isRestrictedByAppArmor())
      rows.push({
        what: "AppArmor",
        holds: true,
        found: "restricts user namespaces; 'iddio run --setup' allows bubblewrap",
      });
    let probe = "";
    let secrets = 0;
    const context = { paths, env, daemon, note: (text: string) => output.note(text) };
    const code = await startRun(context, {
      ...options,
      command: ["/bin/sh", "-c", PROBE],
      bestEffort: false,
      async onEnd(scratch, view) {
        secrets = view.secrets.length;
        probe = await readFile(join(scratch, "var-tmp", "check"), "utf8").catch(() => "");
      },
    });
    rows.push(...proven(code === 0, secrets), ...probed(probe));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    rows.push({ what: "sandbox", holds: false, found: error.message });
    if (error.hint !== undefined) output.note(`hint: ${error.hint}`);
  }
  const level = rows.every(({ holds }) => holds) ? (options.keepHome ? "L1 (--keep-home)" : "L2") : "L0";
  rows.push({ what: "level", holds: level === "L2", found: level });
  if (flags.has("json")) output.json(rows);
  else
    output.table(
      ["WHAT", "HOLDS", "FOUND"],
      rows.map(({ what, holds, found }) => [what, holds ? "yes" : "NO", found]),
    );
  return rows.every(({ holds }) => holds) ? 0 : 1;
}

function proven(holds: boolean, secrets: number): readonly Row[] {
  if (!holds) return [{ what: "start", holds: false, found: "the sandbox did not start; see above" }];
  return [
    { what: "network", holds, found: "only lo; an unserved port and UDP 443 are refused" },
    { what: "gateway", holds, found: "answers the bridge" },
    { what: "secrets", holds, found: `${secrets} places of secrets are not readable` },
  ];
}

function probed(text: string): readonly Row[] {
  const value = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(text)?.[1] ?? "unknown";
  const capabilities = [value("CapEff"), value("CapBnd")];
  const interfaces = [...text.matchAll(/^Interface: (\S+)/gm)].map(([, name]) => name);
  return [
    { what: "new privileges", holds: value("NoNewPrivs") === "1", found: "cannot be gained" },
    { what: "system calls", holds: value("Seccomp") === "2", found: "are filtered" },
    {
      what: "capabilities",
      holds: capabilities.every((each) => /^0+$/.test(each)),
      found: capabilities.every((each) => /^0+$/.test(each)) ? "none" : capabilities.join(", "),
    },
    { what: "namespaces", holds: value("Namespaces") === "no", found: "cannot be made" },
    { what: "processes", holds: Number(value("Processes")) < 16, found: "only its own" },
    {
      what: "interfaces",
      holds: interfaces.every((name) => name === "lo"),
      found: interfaces.join(", ") || "none",
    },
  ];
}
