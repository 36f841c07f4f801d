// `iddio ssh-config`: gathers the policy's hosts and the operator's own words for them, writes the
// configuration and the known-hosts file beside it, and includes it from ~/.ssh/config when told
// to.

import { mkdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { CommandContext } from "../../cli/kit/command.ts";
import { lastingProgram } from "../../host/process/lasting-program.ts";
import { runTool } from "../../host/process/run-tool.ts";
import type { InspectEntry } from "../../match/inspect-entry.ts";
import { InspectIndex } from "../../match/inspect-index.ts";
import { UserError } from "../../model/user-error.ts";
import { parsePolicy } from "../../policy/parse/parse.ts";
import { isPlainHost } from "../../protocols/ssh/target.ts";
import { writeFileAtomic } from "../../state/files.ts";
import { type HostAlias, knownHostsText, runConfigText, sshConfigText } from "./config-file.ts";
import { authorityOf, hostKeyOf, SSH_FOLDER_MODE } from "./host-key.ts";

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
  const known = paths.sshKnownHosts;
  if (!(await isOurs(paths.root))) {
    // A system's installation is root's; its user may only include what root wrote.
    if (!flags.has("install") || (await readFile(file, "utf8").catch(() => "")) === "")
      throw new UserError(`'${paths.root}' belongs to the whole system`, { hint: "sudo iddio ssh-config" });
    await install(own, file);
    return output.note(`included from ${own}`);
  }
  const { publicKey: key } = await hostKeyOf(paths.ssh);
  const { publicKey: authority } = await authorityOf(paths.ssh);
  await mkdir(dirname(file), { recursive: true, mode: SSH_FOLDER_MODE });
  await writeFileAtomic(known, knownHostsText(entries, { authority, key }), 0o644);
  const knows = async (option: string) =>
    (await runTool(["ssh", "-o", option, "-G", "x"], { env })).code === 0;
  const warnsOfKeys = await knows("WarnWeakCrypto=no-pq-kex");
  await writeFileAtomic(
    file,
    sshConfigText(entries, {
      program: lastingProgram(env),
      home: env.IDDIO_HOME ? paths.root : undefined,
      known,
      warnsOfKeys,
      passesConnections: process.platform === "linux",
      ordersCiphers: await knows("Ciphers=^aes128-gcm@openssh.com"),
    }),
    0o644,
  );
  const aliases = await aliasesOf(own, entries, env);
  const system = await readFile("/etc/ssh/ssh_config", "utf8").catch(() => "");
  await writeFileAtomic(
    paths.sshRunConfig,
    runConfigText(entries, { known, warnsOfKeys }, aliases) + system,
    0o644,
  );
  if (flags.has("install")) await install(own, file);
  if (flags.has("json"))
    return output.json({ file, known_hosts: known, hosts: entries.map(({ text }) => text) });
  output.line(file);
  if (flags.has("install")) output.note(`included from ${own}`);
  else output.note(`try it: ssh -F ${file} <host>`);
  const agent = env.SSH_AUTH_SOCK;
  if (agent && /^\/[\w./@+-]+$/.test(agent) && (await settingOf(paths.settings, "ssh_agent")) === "")
    output.note(
      `a gateway that was not started from here does not use this shell's agent of keys; to let it: iddio settings set ssh_agent=${agent}`,
    );
}

async function settingOf(file: string, name: "ssh_agent"): Promise<string> {
  const { parseSettings } = await import("../../state/settings/settings.ts");
  const parsed = parseSettings(await readFile(file, "utf8").catch(() => ""));
  return "settings" in parsed ? parsed.settings[name] : "";
}

async function isOurs(root: string): Promise<boolean> {
  const uid = process.getuid?.();
  const facts = await stat(root).catch(() => undefined);
  return facts === undefined || uid === undefined || uid === 0 || facts.uid === uid;
}

/** The operator's own words for hosts of the list, as his ssh reads them: an agent in a run has no configuration of his. */
async function aliasesOf(
  own: string,
  entries: readonly InspectEntry[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly HostAlias[]> {
  const text = await readFile(own, "utf8").catch(() => "");
  const names = [...text.matchAll(/^[ \t]*Host[ \t=]+(.*)$/gim)].flatMap(([, list = ""]) =>
    list.split(/\s+/),
  );
  const index = new InspectIndex(entries.map((entry) => ({ entry, value: entry })));
  const found: HostAlias[] = [];
  for (const name of new Set(names.filter(isPlainHost)).values()) {
    if (found.length >= ALIASES_MAX) break;
    const { code, stdout } = await runTool(["ssh", "-G", "--", name], { env });
    if (code !== 0) continue;
    const value = (key: string) => new RegExp(`^${key} (.*)$`, "m").exec(stdout)?.[1] ?? "";
    const [host, port, user] = [value("hostname").toLowerCase(), Number(value("port")), value("user")];
    if (index.lookup(host, port) !== undefined) found.push({ name, host, port, user });
  }
  return found;
}

const ALIASES_MAX = 200;

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
