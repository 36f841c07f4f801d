// `iddio ssh-config`: gathers the policy's hosts and the operator's own words for them, writes the configuration and the
// known-hosts file beside it, and includes it from ~/.ssh/config when told to.

import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { CommandContext } from "../../cli/kit/command.ts";
import { UserError } from "../../model/user-error.ts";
import { parsePolicy } from "../../policy/parse/parse.ts";
import { writeFileAtomic } from "../../state/files.ts";
import { knownHostsText, sshConfigText } from "./config-file.ts";
import { hostKeyOf } from "./host-key.ts";

const BEGIN = "# iddio: hosts that go through the gateway (iddio ssh-config --uninstall takes this out)";

/** Writes the files. */
export async function writeConfig(context: CommandContext): Promise<void> {
  const { flags, output, paths, env } = context;
  const home = env.HOME ?? homedir();
  const own = join(home, ".ssh", "config");
  if (flags.has("uninstall")) return uninstall(context, own);
  const text = await readFile(paths.policy, "utf8").catch(() => "");
  const parsed = parsePolicy(text);
  if (!("policy" in parsed))
    throw new UserError("the policy does not load", { hint: "iddio policy validate" });
  const entries = parsed.policy.blocks.get("ssh")?.inspect.map(({ entry }) => entry) ?? [];
  if (entries.length === 0)
    throw new UserError("the policy lists no host under ssh", {
      hint: 'iddio inspect add ssh "prod.example.com"',
    });
  const file = flags.text("output") ?? join(paths.ssh, "config");
  const known = join(paths.ssh, "known_hosts");
  const { publicKey } = await hostKeyOf(paths.ssh);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFileAtomic(known, knownHostsText(entries, publicKey), 0o644);
  await writeFileAtomic(
    file,
    sshConfigText(entries, { program: ownProgram(), home: env.IDDIO_HOME ? paths.root : undefined, known }),
    0o644,
  );
  if (flags.has("install")) await install(own, file);
  if (flags.has("json"))
    return output.json({ file, known_hosts: known, hosts: entries.map(({ text }) => text) });
  output.line(file);
  if (flags.has("install")) output.note(`included from ${own}`);
  else output.note(`try it: ssh -F ${file} <host>`);
}

async function install(own: string, file: string): Promise<void> {
  const before = await readFile(own, "utf8").catch(() => "");
  if (before.includes(BEGIN)) return;
  await mkdir(dirname(own), { recursive: true, mode: 0o700 });
  // First, because ssh takes the first value that it finds.
  await writeFileAtomic(own, `${BEGIN}\nInclude ${quoted(file)}\n\n${before}`, 0o600);
}

async function uninstall({ output }: CommandContext, own: string): Promise<void> {
  const before = await readFile(own, "utf8").catch(() => "");
  const at = before.indexOf(BEGIN);
  if (at < 0) return output.line(`${own} does not include it`);
  const rest = before.slice(at).split("\n").slice(2).join("\n").replace(/^\n/, "");
  await writeFileAtomic(own, before.slice(0, at) + rest, 0o600);
  output.line(`taken out of ${own}`);
}

function quoted(path: string): string {
  return /^[\w./@+-]+$/.test(path) ? path : `"${path}"`;
}

function ownProgram(): readonly string[] {
  return Bun.main.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, Bun.main];
}
