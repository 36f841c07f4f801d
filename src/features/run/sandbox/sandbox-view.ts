// Chooses the machine's files that the agent sees: bubblewrap's arguments, in the order in which
// they are applied, so that hidden and read-only places come after shown ones. The home directory
// is empty but for a list. Every path is resolved before it is used: a mount on a symbolic link
// would land elsewhere or fail.

import { existsSync } from "node:fs";
import { copyFile, lstat, mkdir, realpath, rm, stat } from "node:fs/promises";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import type { StatePaths } from "../../../state/paths.ts";
import { CONTROL_FILES, foldersIn, isControlPath, type Listed } from "../control-files/control-files.ts";
import { gitMounts } from "../control-files/git-control-files.ts";
import type { Profile } from "../profile.ts";
import { hookFileName, RUN_FOLDER, RUN_PROGRAM, type RunHook } from "../run-hook.ts";
import { coveredSockets, isBelow } from "./outside-sockets.ts";
import { ownMounts } from "./own-mounts.ts";
import { givenPath, HOME_SECRETS, projectOf } from "./shown-places.ts";

const GIBIBYTE = 2 ** 30;

/** The inputs of the view. */
export interface ViewInput {
  readonly profile: Profile;
  readonly paths: StatePaths;
  readonly home: string;
  readonly cwd: string;
  readonly uid: number;
  /** Absolute paths from `--ro` and `--rw`. */
  readonly readOnly: readonly string[];
  readonly writable: readonly string[];
  readonly keepHome: boolean;
  /** A fresh folder of this run's own, on disk. */
  readonly scratch: string;
  /** Whether the folder has a kubeconfig for the agent; known later than all else. */
  readonly hasOverlay: Promise<boolean>;
  readonly hook: RunHook | undefined;
  /** This program's file; undefined when it runs from its sources. */
  readonly ownProgram: string | undefined;
  /** The program that is started, resolved; its folder is shown where it would not be. */
  readonly program: string | undefined;
}

/** The mounts of a view, and facts about them. */
export interface View {
  readonly args: readonly string[];
  /** The folder that the agent works in and may write. */
  readonly project: string;
  /** Further folders that it may write, from `--rw`. */
  readonly writable: readonly string[];
  /** Files of repositories that are read-only in it. */
  readonly protectedFiles: readonly string[];
  /** Places below folders that an agent may write: another run may change them, so each is proved to be mounted from itself. */
  readonly bound: readonly string[];
  /** The kernel's words for the folders that the agent is given. */
  readonly mounts: readonly string[];
  /** Paths that must not be readable inside; proved before the command starts. */
  readonly secrets: readonly string[];
}

/** Files that programs find the roots of trust in, one for each family of systems. */
const TRUST_FILES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
  "/usr/lib/ssl/cert.pem",
];

/** Makes the view. Throws UserError for a place that an agent must not be given. */
export async function sandboxView(input: ViewInput): Promise<View> {
  const { profile, paths, scratch } = input;
  const home = await realpath(input.home);
  const cwd = await realpath(input.cwd);
  const state = await realpath(paths.root);
  const config = await realpath(paths.config);
  const project = await projectOf(cwd, home, state);
  const writable = await Promise.all(
    input.writable.map((path) => givenPath("--rw", path, { home, state, project })),
  );
  const readOnly = await Promise.all(
    input.readOnly.map((path) => givenPath("--ro", path, { home: undefined, state, project })),
  );
  const shown = [project, ...writable, ...readOnly];
  const protectedFiles: string[] = [];
  const mounted: string[] = [...writable];
  const open = [project, ...writable];
  const args: string[] = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"];
  const hidden = ["/run", "/tmp", "/var/tmp", "/dev", "/proc", state];
  if (!input.keepHome) hidden.push(home, ...(existsSync("/home") ? ["/home"] : []));
  const runtime = `/run/user/${input.uid}`;
  args.push("--tmpfs", "/run", "--perms", "0700", "--dir", runtime);
  // In memory and bounded, as on most systems; large files go to /var/tmp, which is on disk.
  args.push("--perms", "1777", "--size", String(tmpBytes()), "--tmpfs", "/tmp");
  args.push("--bind", await ownFolder(join(scratch, "var-tmp")), "/var/tmp");
  args.push("--ro-bind", join(scratch, "run"), RUN_FOLDER);
  if (input.ownProgram !== undefined) args.push("--ro-bind", await realpath(input.ownProgram), RUN_PROGRAM);
  const sockets = await coveredSockets(hidden, shown);
  if (!input.keepHome && existsSync("/home")) args.push("--tmpfs", "/home");
  if (!input.keepHome) args.push("--tmpfs", home);
  for (const folder of sockets.folders) args.push("--tmpfs", folder);

  const expand = (path: string) => (path.startsWith("~/") ? join(home, path.slice(2)) : path);
  if (!input.keepHome) for (const path of profile.read) await show(args, expand(path), home);
  if (!input.keepHome && input.program !== undefined) await showProgram(args, input.program, home, shown);
  for (const path of profile.keep)
    args.push("--bind", await keptFolder(paths.runHomes, profile, path, expand), expand(path));
  args.push(...(await hookMounts(input, home)));
  for (const path of readOnly) args.push("--ro-bind", path, path);
  for (const path of [...new Set([project, ...writable])]) {
    args.push("--bind", path, path);
    const listed = await foldersIn(path);
    const git = await gitMounts(listed, home);
    for (const each of git.writable) args.push("--bind", each, each);
    for (const each of git.readOnly) args.push("--ro-bind", each, each);
    protectedFiles.push(...git.readOnly);
    const control = await controlFileMounts(listed, writable.filter(isControlPath));
    args.push(...control);
    open.push(...git.writable);
    mounted.push(...git.writable, ...git.readOnly, ...control.filter((_, index) => index % 3 === 2));
  }
  for (const path of sockets.files) args.push("--ro-bind", "/dev/null", path);
  // Where the person's secrets would show after all: a folder above a given path, or a home that is kept.
  const secrets = HOME_SECRETS.map((name) => join(home, name)).filter((path) => existsSync(path));
  if (input.keepHome) for (const path of secrets) args.push(...(await cover(path, shown)));
  for (const path of new Set([state, config])) args.push("--tmpfs", path);
  for (const path of [paths.caCertificate, paths.bundle, paths.sshKnownHosts])
    if (existsSync(path)) args.push("--ro-bind", path, path);
  args.push(...(await systemFiles(input)));
  if (await input.hasOverlay) args.push("--ro-bind", join(scratch, OVERLAY), paths.kubeconfig);
  args.push("--chdir", cwd);
  return {
    args,
    project,
    writable,
    protectedFiles,
    bound: [...new Set(mounted)].filter((path) => open.some((each) => each !== path && isBelow(path, each))),
    mounts: await ownMounts(shown),
    secrets: [...secretsOf(paths, shown, secrets), ...OUTSIDE.filter(existsSync)],
  };
}

/** Half of the memory, and no less than what builds need. */
function tmpBytes(): number {
  return Math.max(GIBIBYTE, Math.floor(totalmem() / 2));
}

/** Sockets by which programs outside would do an agent's work. */
const OUTSIDE = [
  "/run/docker.sock",
  "/run/podman/podman.sock",
  "/run/containerd/containerd.sock",
  "/run/dbus",
];

function secretsOf(paths: StatePaths, shown: readonly string[], home: readonly string[]): readonly string[] {
  const own = [
    paths.caKey,
    paths.socket,
    paths.database,
    paths.policy,
    paths.settings,
    paths.audit,
    paths.runs,
  ];
  return [...own.filter(existsSync), ...home].filter((path) => !shown.some((each) => isBelow(path, each)));
}

async function show(args: string[], path: string, home: string): Promise<void> {
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) return;
  // A link in the home directory to somewhere else would show its target under a name that looks harmless.
  if (path.startsWith(home) && !isBelow(real, home) && !isBelow(real, "/usr") && !isBelow(real, "/opt"))
    return;
  args.push("--ro-bind", real, path);
}

/** An agent that is installed in a place of its own in the home directory. */
async function showProgram(
  args: string[],
  program: string,
  home: string,
  shown: readonly string[],
): Promise<void> {
  const real = await realpath(program).catch(() => program);
  for (const path of new Set([program, real]))
    if (isBelow(path, home) && !shown.some((each) => isBelow(path, each))) args.push("--ro-bind", path, path);
}

async function ownFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  return path;
}

function keptPath(homes: string, { name }: Profile, path: string): string {
  return join(homes, name, path.slice(2).replaceAll("/", "+"));
}

/** The profile's own copy of a folder, seeded from the person's when it is new. */
async function keptFolder(
  homes: string,
  profile: Profile,
  path: string,
  expand: (path: string) => string,
): Promise<string> {
  const own = keptPath(homes, profile, path);
  if (existsSync(own)) return own;
  await ownFolder(own);
  for (const seed of profile.seed.filter((each) => isBelow(each, path))) {
    const target = join(own, seed.slice(path.length + 1));
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await copyFile(expand(seed), target).catch(() => undefined);
  }
  return own;
}

/** The agent's hook over whatever it has there itself. */
async function hookMounts(input: ViewInput, home: string): Promise<readonly string[]> {
  const { hook, profile, paths, scratch } = input;
  const args: string[] = [];
  for (const [index, { at: where }] of (hook?.files ?? []).entries()) {
    if ("name" in where) continue;
    const { path } = where;
    const kept = profile.keep.find((each) => isBelow(path, join(home, each.slice(2))));
    if (kept === undefined) continue;
    // A link that the agent left there would lead the mount astray, and the run would not start.
    let at = keptPath(paths.runHomes, profile, kept);
    const names = path.slice(join(home, kept.slice(2)).length + 1).split("/");
    for (const [depth, name] of names.entries()) {
      at = join(at, name);
      const found = await lstat(at).catch(() => undefined);
      const isWanted = depth === names.length - 1 ? found?.isFile() : found?.isDirectory();
      if (found !== undefined && !isWanted) await rm(at, { recursive: true, force: true });
    }
    args.push("--ro-bind", join(scratch, hookFileName(index)), path);
  }
  return args;
}

const CONTROL_MOUNTS_MAX = 200;

async function controlFileMounts(
  listed: readonly Listed[],
  given: readonly string[],
): Promise<readonly string[]> {
  const args: string[] = [];
  for (const { path: folder, names } of listed) {
    for (const name of CONTROL_FILES.filter((each) => names.has(each.split("/")[0] ?? ""))) {
      const path = join(folder, name);
      if (given.some((each) => isBelow(path, each))) continue;
      const real = await realpath(path).catch(() => undefined);
      if (real !== path) continue;
      // The folder between must not be moved away with the file in it.
      if (name.includes("/")) args.push("--bind", dirname(path), dirname(path));
      args.push("--ro-bind", path, path);
      if (args.length > CONTROL_MOUNTS_MAX * 3) return args;
    }
  }
  return args;
}

async function cover(path: string, shown: readonly string[]): Promise<readonly string[]> {
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined || shown.some((each) => isBelow(real, each))) return [];
  return (await stat(real)).isDirectory() ? ["--tmpfs", real] : ["--ro-bind", "/dev/null", real];
}

/** Names, trust and the files by which programs look names up. */
async function systemFiles({ paths, scratch }: ViewInput): Promise<readonly string[]> {
  const args: string[] = [];
  const covered = new Set<string>();
  const onto = async (source: string, target: string) => {
    const real = await realpath(target).catch(() => undefined);
    // Several names may be one file.
    if (real === undefined || covered.has(real)) return;
    covered.add(real);
    args.push("--ro-bind", source, real);
  };
  for (const target of TRUST_FILES) await onto(paths.bundle, target);
  // The way out leads through iddio anyhow; by this ssh knows the key that iddio shows, and the operator's words for hosts.
  if (existsSync(paths.sshRunConfig)) await onto(paths.sshRunConfig, "/etc/ssh/ssh_config");
  for (const [name, target] of SYSTEM_FILES) await onto(join(scratch, name), target);
  return args;
}

/** The kubeconfig for the agent, in the scratch folder. */
export const OVERLAY = "kubeconfig";

/** Files that are made for each run, by their name in its scratch folder. */
export const SYSTEM_FILES = [
  ["resolv.conf", "/etc/resolv.conf"],
  ["nsswitch.conf", "/etc/nsswitch.conf"],
  ["hosts", "/etc/hosts"],
  ["cacerts", "/etc/ssl/certs/java/cacerts"],
  ["cacerts", "/etc/pki/java/cacerts"],
  ["cacerts", "/etc/pki/ca-trust/extracted/java/cacerts"],
] as const;
