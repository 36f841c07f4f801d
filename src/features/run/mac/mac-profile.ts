// Writes the rules of sandbox-exec for an agent on macOS: everything is refused but a list. There
// are no mounts and no network of its own there: files that are not shown are refused, and the one
// way out is the run's own port on loopback. docs/run.md names the gaps.

import { dirname } from "node:path";
import { literally, matching, quoted, renderSbpl, type Sbpl } from "../../../host/sandbox/sbpl.ts";
import { CONTROL_FILES } from "../control-files/control-files.ts";

/** The inputs of a profile; every path is resolved. */
export interface MacView {
  /** The run's own port on loopback. */
  readonly port: number;
  /** Further ports of loopback that it may reach: `--local-port` and `--publish`. */
  readonly localPorts: readonly number[];
  /** Devices of the terminals that it is started in. */
  readonly terminals: readonly string[];
  /** Shown read-only. */
  readonly readable: readonly string[];
  /** Folders that it may write: the project, `--rw`, its home and its temporary folder. */
  readonly writable: readonly string[];
  /** Folders among them in which files that start programs outside are left alone. */
  readonly projects: readonly string[];
  /** Control paths that were given with `--rw`. */
  readonly allowed: readonly string[];
  /** Files of repositories that are read-only, and folders on the way to them that must stay where they are. */
  readonly readOnly: readonly string[];
  readonly fixed: readonly string[];
  /** Paths that must not be readable, whatever was shown. */
  readonly secrets: readonly string[];
  /** No verification of certificates by the system's own service, which fetches from the network by itself. */
  readonly isStrict: boolean;
  /** Lets it use the login keychain, with all that is in it. */
  readonly usesKeychain: boolean;
}

/** Shown to everyone: programs, libraries and settings of the system. */
const SYSTEM = [
  "/Applications",
  "/Library",
  "/System",
  "/bin",
  "/opt",
  "/private/etc",
  "/private/var/db/dyld",
  "/private/var/db/timezone",
  "/private/var/select",
  "/sbin",
  "/usr",
];

/** Services of the system without which hardly anything starts. None starts programs, or reaches a network for others. */
const SERVICES = [
  "com.apple.FSEvents",
  "com.apple.PowerManagement.control",
  "com.apple.bsd.dirhelper",
  "com.apple.logd",
  "com.apple.system.logger",
  "com.apple.system.notification_center",
  "com.apple.system.opendirectoryd.libinfo",
  "com.apple.system.opendirectoryd.membership",
];
/** Go programs before 1.27 verify certificates by it; it fetches issuers that a certificate names. */
const TRUST_SERVICE = "com.apple.trustd.agent";
const KEYCHAIN_SERVICES = ["com.apple.SecurityServer", "com.apple.securityd.xpc"];

/**
 * Facts about the machine that programs read from the kernel. None about processes: their environment would
 * be among them.
 */
const SYSCTL_PREFIXES = ["hw.", "machdep.cpu.", "net.routetable.", "kern.os", "vm.loadavg"];
const SYSCTLS = [
  "kern.argmax",
  "kern.hostname",
  "kern.maxfiles",
  "kern.maxfilesperproc",
  "kern.maxproc",
  "kern.ngroups",
  "kern.secure_kernel",
  "kern.usrstack64",
  "kern.version",
  "kern.willshutdown",
  "machdep.ptrauth_enabled",
  "sysctl.proc_cputype",
];

const DEVICES = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/dtracehelper"];
/** The extension that the kernel gives to a program that opened the other end of a terminal. */
const OWN_TERMINAL = "com.apple.sandbox.pty";
/** TIOCSTI by its number: its name is unknown to macOS 13 and 14. */
const TYPE_INTO_TERMINAL = "2147578994";

const subpath = (path: string): Sbpl => ["subpath", quoted(path)];
const literal = (path: string): Sbpl => ["literal", quoted(path)];

/** The profile's text. */
export function macProfile(view: MacView): string {
  return renderSbpl([
    ["version", "1"],
    ["deny", "default"],
    ...processes(view),
    ...network(view),
    ...files(view),
  ]);
}

function processes({ isStrict, usesKeychain }: MacView): readonly Sbpl[] {
  const services = [
    ...SERVICES,
    ...(isStrict ? [] : [TRUST_SERVICE]),
    ...(usesKeychain ? KEYCHAIN_SERVICES : []),
  ];
  return [
    ["allow", "process-exec"],
    ["allow", "process-fork"],
    ["allow", "signal", ["target", "same-sandbox"]],
    ["allow", "process-info*", ["target", "same-sandbox"]],
    [
      "allow",
      "sysctl-read",
      ...SYSCTLS.map((name): Sbpl => ["sysctl-name", quoted(name)]),
      ...SYSCTL_PREFIXES.map((name): Sbpl => ["sysctl-name-prefix", quoted(name)]),
    ],
    ["allow", "mach-lookup", ...services.map((name): Sbpl => ["global-name", quoted(name)])],
    ["allow", "ipc-posix-sem"],
    ["allow", "user-preference-read"],
    ["allow", "pseudo-tty"],
  ];
}

function network({ port, localPorts, writable }: MacView): readonly Sbpl[] {
  const ports = [...new Set([port, ...localPorts])];
  return [
    // Servers of its own may listen on loopback; it may only connect to the given ports there.
    ["allow", "network-bind", ["local", "ip", quoted("localhost:*")]],
    ["allow", "network-inbound", ["local", "ip", quoted("localhost:*")]],
    [
      "allow",
      "network-outbound",
      ...ports.map((each): Sbpl => ["remote", "ip", quoted(`localhost:${each}`)]),
    ],
    // A connection to a unix socket is network, not file access: those outside of its own folders are refused.
    ["allow", "system-socket", ["socket-domain", "AF_UNIX"]],
    ["allow", "network-bind", ...writable.map((path): Sbpl => ["local", "unix-socket", subpath(path)])],
    ["allow", "network-outbound", ...writable.map((path): Sbpl => ["remote", "unix-socket", subpath(path)])],
  ];
}

function files(view: MacView): readonly Sbpl[] {
  const shown = [...SYSTEM, ...view.readable, ...view.writable];
  const above = [...new Set(shown.flatMap(foldersAbove))].sort();
  const rules: Sbpl[] = [
    // Names on the way to shown files: programs look at each folder of a path.
    ["allow", "file-read-metadata", ...[...above, "/dev", "/tmp", "/var", "/etc"].map(literal)],
    ["allow", "file-read*", literal("/"), ...shown.map(subpath)],
    ["allow", "file-write*", ...view.writable.map(subpath)],
    ["allow", "file-read*", "file-write-data", "file-ioctl", ...DEVICES.map(literal)],
    [
      "allow",
      "file-read*",
      "file-write*",
      "file-ioctl",
      literal("/dev/ptmx"),
      // Terminals that it makes itself, and its own. Not those of the person's other windows: it would read the keys
      // that are typed there.
      ["require-all", ["regex", matching("^/dev/ttys[0-9]+$")], ["extension", quoted(OWN_TERMINAL)]],
      ...view.terminals.map(literal),
    ],
    ["deny", "file-ioctl", ["ioctl-command", TYPE_INTO_TERMINAL]],
  ];
  for (const project of view.projects) rules.push(...projectRules(project, view.allowed));
  const kept = view.readOnly.map(subpath);
  if (kept.length > 0) rules.push(["deny", "file-write*", ...kept]);
  const fixed = [...new Set([...view.fixed, ...view.projects])].map(literal);
  if (fixed.length > 0) rules.push(["deny", "file-write-unlink", ...fixed]);
  const secrets = view.secrets.flatMap((path) => [literal(path), subpath(path)]);
  if (secrets.length > 0)
    rules.push(
      ["deny", "file-read*", "file-write*", ...secrets],
      [
        "deny",
        "network-outbound",
        ...view.secrets.map((path): Sbpl => ["remote", "unix-socket", subpath(path)]),
      ],
    );
  return rules;
}

/**
 * Files by which programs outside would be started, there or not, in any folder and any case: most file systems of
 * macOS take `.ENVRC` for `.envrc`.
 */
function projectRules(project: string, allowed: readonly string[]): readonly Sbpl[] {
  const names = [...CONTROL_FILES, ".git/config", ".git/hooks", ".git/commondir", ".git/config.worktree"];
  const one = names.map((name) => anyCase(name)).join("|");
  const rules: Sbpl[] = [
    ["deny", "file-write*", ["regex", matching(`^${literally(project)}/(.*/)?(${one})(/.*)?$`)]],
  ];
  if (allowed.length > 0) rules.push(["allow", "file-write*", ...allowed.map(subpath)]);
  return rules;
}

function anyCase(name: string): string {
  return [...name]
    .map((each) => (/[a-z]/.test(each) ? `[${each}${each.toUpperCase()}]` : literally(each)))
    .join("");
}

function foldersAbove(path: string): readonly string[] {
  const above: string[] = [];
  for (let at = dirname(path); at !== "/"; at = dirname(at)) above.push(at);
  return above;
}
