// Lays one run's sandbox out: looks at the machine's files, writes the run's own, and gives the
// orders for the bridge. Where it can, the daemon does this: it has all of it loaded, and the agent
// waits for it. Where the daemon sees other files than the caller, `iddio run` does it itself.
// Linux only.

import { existsSync } from "node:fs";
import { mkdir, readFile, realpath, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { ADDRESS_IN_RUN } from "../../api/client.ts";
import type { RunLayout, RunPlace } from "../../api/run-report.ts";
import { overlayToken } from "../../host/kubeconfig/overlay.ts";
import { bridgeTokenHash, overlayTokenOfRun } from "../../host/sandbox/run-token.ts";
import { seccompFilter } from "../../host/sandbox/seccomp-filter.ts";
import { architectureOf } from "../../host/sandbox/system-calls.ts";
import { UserError } from "../../model/user-error.ts";
import { errorCode } from "../../state/files.ts";
import type { StatePaths } from "../../state/paths.ts";
import { controlFilesBelow, isControlPath } from "./control-files/control-files.ts";
import { noteForLastLook } from "./control-files/left-run.ts";
import type { Profile } from "./profile.ts";
import { hookFileName, RUN_PROGRAM, type RunHook, runHook } from "./run-hook.ts";
import type { RunPlaceholder } from "./run-placeholders.ts";
import { keptTrustStore } from "./sandbox/kept-trust-store.ts";
import { sandboxVariables } from "./sandbox/sandbox-environment.ts";
import { OVERLAY, SYSTEM_FILES, sandboxView } from "./sandbox/sandbox-view.ts";
import { signalWrappers } from "./signal-wrappers.ts";

/** The inputs of a layout. */
export interface LayoutInput {
  readonly profile: Profile;
  readonly place: RunPlace;
  readonly keepHome: boolean;
  readonly paths: StatePaths;
  readonly uid: number;
  readonly run: { readonly id: string; readonly name: string };
  readonly token: string;
  readonly placeholders: Promise<readonly RunPlaceholder[]>;
}

const RUN_PROXY_PORT = 9443;

/** The folder of a run's own files, outside. */
export function scratchOf(paths: StatePaths, runId: string): string {
  return join(paths.runs, runId);
}

/** Makes the layout. Throws UserError for a place that an agent must not be given. */
export async function layOut(input: LayoutInput): Promise<RunLayout> {
  const { folder, home } = input.place;
  // The kernel names a working directory without links: one on the way was put there since.
  await checkFolder(folder);
  if ((await realpath(home).catch(() => undefined)) === undefined)
    throw new UserError(`the home directory '${home}' is not there`, {
      hint: "set HOME to a folder of yours, and start again",
    });
  try {
    return await layOutThere(input);
  } catch (error) {
    // Whatever failed, it failed because of that.
    if (errorCode(error) !== undefined) await checkFolder(folder);
    throw error;
  }
}

async function checkFolder(folder: string): Promise<void> {
  const real = await realpath(folder).catch(() => undefined);
  if (real === folder) return;
  if (real === undefined)
    throw new UserError(`the working directory '${folder}' is gone`, {
      hint: "change to a folder that exists, and start again",
    });
  throw new UserError("the working directory was changed while the sandbox was laid out", {
    hint: "see what is there now, and start again",
  });
}

async function layOutThere(input: LayoutInput): Promise<RunLayout> {
  const { profile, place, paths, uid, run } = input;
  const architecture = architectureOf(process.arch);
  if (architecture === undefined)
    throw new UserError(`there is no filter of system calls for '${process.arch}'`, {
      hint: "iddio run works on x86_64 and aarch64",
    });
  const scratch = scratchOf(paths, run.id);
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const realHome = await realpath(place.home);
  const hook = profile.hook === undefined ? undefined : runHook(profile.hook, realHome, place.command);
  // All at once: each waits for the disk most of its time.
  const hasOverlay = input.placeholders.then((each) =>
    writeOverlay(scratch, paths.kubeconfig, input.token, each),
  );
  const view = sandboxView({
    profile,
    paths,
    home: place.home,
    cwd: place.folder,
    uid,
    readOnly: place.read_only,
    writable: place.writable,
    keepHome: input.keepHome,
    scratch,
    hasOverlay,
    hook,
    ownProgram: place.program,
    program: Bun.which(place.command[0] ?? "", { PATH: place.path }) ?? undefined,
  });
  const work = [
    input.placeholders,
    signalWrappers(),
    view,
    // Those that are there before the agent starts.
    view.then(({ project, writable }) => controlFilesBelow([project, ...writable])),
    hasOverlay,
    writeSystemFiles(scratch, paths),
    writeRunFolder(scratch, hook),
  ] as const;
  // Whichever fails, the others have ended before the folder is removed.
  await Promise.allSettled(work);
  const [placeholders, wrappers, seen, controlFiles] = await Promise.all(work);
  const { passes, sets } = sandboxVariables({
    profile,
    home: realHome,
    path: place.path,
    uid,
    names: place.pass,
    bundle: paths.bundle,
    kubeconfig: paths.kubeconfig,
    run: run.name,
    placeholders,
  });
  const filter = seccompFilter(architecture, { allowsNamespaces: profile.nested_namespaces });
  const layout: RunLayout = {
    args: [...namespaceArgs(profile), ...seen.args],
    filter: Buffer.from(filter).toString("base64"),
    wrappers,
    command: hook?.command ?? place.command,
    passes,
    sets,
    bound: seen.bound,
    mounts: seen.mounts,
    secrets: seen.secrets,
    writable: [seen.project, ...seen.writable],
    allowed: seen.writable.filter(isControlPath),
    read_only: seen.protectedFiles,
    control_files: [...controlFiles].map(([path, { kind, identity }]) => ({ path, kind, identity })),
    nested_namespaces: profile.nested_namespaces,
  };
  await noteForLastLook(scratch, layout);
  return layout;
}

function namespaceArgs(profile: Profile): readonly string[] {
  return [
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    ...(profile.nested_namespaces ? [] : ["--disable-userns"]),
    "--die-with-parent",
    "--cap-drop",
    "ALL",
  ];
}

/** The overlay kubeconfig with this run's token and placeholders in place of the person's. */
async function writeOverlay(
  scratch: string,
  path: string,
  token: string,
  lent: readonly RunPlaceholder[],
): Promise<boolean> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return false;
  const own = overlayTokenOfRun(bridgeTokenHash(token));
  const old = overlayToken(text);
  let overlay = old === undefined ? text : text.replaceAll(`:${old}@`, `:${own}@`);
  for (const each of lent) if (each.outside !== "") overlay = overlay.replaceAll(each.outside, each.own);
  await writeFile(join(scratch, OVERLAY), overlay, { mode: 0o600 });
  return true;
}

/** Writes the files that iddio itself shows in the sandbox. */
async function writeRunFolder(scratch: string, hook: RunHook | undefined): Promise<void> {
  const folder = join(scratch, "run");
  await mkdir(folder, { mode: 0o755 });
  // A mount needs something to be put on.
  await writeFile(join(folder, basename(RUN_PROGRAM)), "", { mode: 0o755 });
  await writeFile(join(folder, basename(ADDRESS_IN_RUN)), `http://127.0.0.1:${RUN_PROXY_PORT}\n`);
  for (const [index, { text, at }] of (hook?.files ?? []).entries())
    await writeFile("name" in at ? join(folder, at.name) : join(scratch, hookFileName(index)), text);
}

/** The files by which programs inside look up names and trust. */
async function writeSystemFiles(scratch: string, paths: StatePaths): Promise<void> {
  const write = (name: string, data: string | Uint8Array) =>
    writeFile(join(scratch, name), data, { mode: 0o644 });
  const nsswitch = await readFile("/etc/nsswitch.conf", "utf8").catch(() => "passwd: files\ngroup: files\n");
  const host = await readFile("/etc/hostname", "utf8").catch(() => "");
  await write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n");
  await write("nsswitch.conf", `${nsswitch.replace(/^hosts:.*$/m, "").trimEnd()}\nhosts: files dns\n`);
  await write("hosts", `127.0.0.1 localhost ${host.trim()}\n::1 localhost ip6-localhost\n`);
  if (SYSTEM_FILES.some(([name, path]) => name === "cacerts" && existsSync(path)))
    await write("cacerts", await keptTrustStore(paths.runHomes, paths.bundle));
}
