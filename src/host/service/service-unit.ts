// The unit of systemd and the property list of launchd that run the daemon. Pure text: who writes
// it where is host/service-*.ts. Every path is absolute and may hold anything a file name may; each
// format has its own quoting.

import { escapeXml } from "../../text/escape-xml.ts";
import { UNSAFE_VARIABLES } from "../process/environment.ts";

/** The inputs of a unit file. */
export interface ServiceUnit {
  /** The daemon's binary. */
  readonly binary: string;
  /** The state directory. */
  readonly home: string;
  /** Where policy.yaml and settings.yaml are, when that is not the state directory. */
  readonly config?: string;
  /** The file to which launchd writes the daemon's output before it has a log. */
  readonly errors?: string;
  /** Whether launchd runs it without a login at the screen. */
  readonly isHeadless?: boolean;
  /** The user, by number, whom a system's daemon lets use its socket. */
  readonly owner?: number;
}

/** Name of the unit under systemd, as `systemctl --user restart iddio-daemon` has it. */
export const SYSTEMD_UNIT = "iddio-daemon.service";

/** Label of the agent under launchd. */
export const LAUNCHD_LABEL = "dev.iddio.daemon";

/** Restrictions that every manager can set: a process may always give these rights away for itself (prctl, seccomp). */
const HARDENING = [
  "NoNewPrivileges=yes",
  "LockPersonality=yes",
  // Netlink tells whose a connection is.
  "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@privileged @resources",
  "SystemCallErrorNumber=EPERM",
  // Not MemoryDenyWriteExecute: the JavaScript engine compiles.
];

/**
 * Restrictions that only the system's manager can set. In a user's manager these make a user namespace, in
 * which the daemon no longer sees which process opened a connection (/proc/<pid>/fd), and which Ubuntu 24.04
 * and hardened kernels forbid.
 */
const SYSTEM_HARDENING = [
  "ProtectSystem=strict",
  // Readable: client certificates of clusters are kept where the operator has them.
  "ProtectHome=read-only",
  "PrivateTmp=yes",
  "PrivateDevices=yes",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "RemoveIPC=yes",
  // The socket is given to the user who installed it; processes are told by name; identities are read by reference.
  // The operator's ssh is started, and ended, with that user's rights: the keys are that user's.
  "SystemCallFilter=@chown @setuid",
  "CapabilityBoundingSet=CAP_CHOWN CAP_SYS_PTRACE CAP_DAC_READ_SEARCH CAP_SETUID CAP_SETGID CAP_KILL",
  "AmbientCapabilities=",
];

/** The unit for a user's manager, or for the system's. */
export function renderSystemdUnit(unit: ServiceUnit, scope: "user" | "system"): string {
  const { binary, home, config, owner } = unit;
  const isSystem = scope === "system";
  const environment = [
    ["IDDIO_HOME", home],
    ["IDDIO_CONFIG", config],
    ["IDDIO_OWNER", owner],
  ].flatMap(([name, value]) =>
    value === undefined ? [] : [`Environment=${quoteSystemd(`${name}=${value}`)}`],
  );
  return [
    "# Written by `iddio install`, which overwrites it: put changes into a drop-in (systemctl edit).",
    "[Unit]",
    "Description=iddio, security gateway for AI agents",
    "Documentation=man:iddio(1)",
    ...(isSystem ? ["Wants=network-online.target", "After=network-online.target"] : []),
    // A daemon that cannot start is tried for a minute and then left for `systemctl` and `iddio doctor` to show.
    "StartLimitIntervalSec=60",
    "StartLimitBurst=20",
    "",
    "[Service]",
    "Type=exec",
    // In ExecStart alone a dollar sign begins a variable.
    `ExecStart=${quoteSystemd(binary).replaceAll("$", "$$$$")} gateway --start`,
    ...environment,
    // A variable from a manager, a login or a drop-in must not change what the program is or trusts.
    `UnsetEnvironment=${UNSAFE_VARIABLES.join(" ")}`,
    "WorkingDirectory=/",
    "Restart=always",
    "RestartSec=1",
    "TimeoutStopSec=15",
    "UMask=0077",
    "LimitNOFILE=524288",
    ...HARDENING,
    ...(isSystem ? SYSTEM_HARDENING : []),
    ...(isSystem
      ? [`ReadWritePaths=${[...new Set([home, config ?? home])].map(quoteSystemd).join(" ")}`]
      : []),
    "",
    "[Install]",
    `WantedBy=${isSystem ? "multi-user.target" : "default.target"}`,
    "",
  ].join("\n");
}

/** The property list of a launchd agent. `KeepAlive` restarts it whatever way it ended, as Restart=always does. */
export function renderLaunchdPlist({ binary, home, config, errors, isHeadless }: ServiceUnit): string {
  const environment = {
    IDDIO_HOME: home,
    ...(config === undefined ? {} : { IDDIO_CONFIG: config }),
    // launchd cannot take a variable away; empty, none of these does anything.
    ...Object.fromEntries(UNSAFE_VARIABLES.map((name) => [name, ""])),
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    "<dict>",
    ...plistEntry("Label", string(LAUNCHD_LABEL)),
    ...plistEntry("ProgramArguments", array([binary, "gateway", "--start"])),
    ...plistEntry("EnvironmentVariables", dictionary(environment)),
    ...plistEntry("WorkingDirectory", string("/")),
    ...plistEntry("RunAtLoad", ["<true/>"]),
    ...plistEntry("KeepAlive", ["<true/>"]),
    // Without it an agent belongs to the session at the screen. Both kinds at once would start it twice.
    ...(isHeadless === true ? plistEntry("LimitLoadToSessionType", string("Background")) : []),
    ...(errors === undefined ? [] : plistEntry("StandardErrorPath", string(errors))),
    // Agents wait for it: not to be slowed down like a background job.
    ...plistEntry("ProcessType", string("Interactive")),
    // One that ran longer is back at once; one that cannot start is not tried every second for ever.
    ...plistEntry("ThrottleInterval", ["<integer>5</integer>"]),
    ...plistEntry("ExitTimeOut", ["<integer>15</integer>"]),
    ...plistEntry("Umask", [`<integer>${0o077}</integer>`]),
    ...plistEntry("SoftResourceLimits", [
      "<dict>",
      ...plistEntry("NumberOfFiles", ["<integer>65536</integer>"]),
      "</dict>",
    ]),
    "</dict>",
    "</plist>",
    "",
  ].join("\n");
}

function plistEntry(key: string, value: readonly string[]): string[] {
  return [`\t<key>${key}</key>`, ...value.map((line) => `\t${line}`)];
}

function string(text: string): string[] {
  return [`<string>${escapeXml(text)}</string>`];
}

function array(texts: readonly string[]): string[] {
  return ["<array>", ...texts.flatMap(string).map((line) => `\t${line}`), "</array>"];
}

function dictionary(values: Readonly<Record<string, string>>): string[] {
  return [
    "<dict>",
    ...Object.entries(values).flatMap(([key, value]) => plistEntry(key, string(value))),
    "</dict>",
  ];
}

/** systemd.syntax(7): C escapes inside double quotes, and `%` begins a specifier. */
function quoteSystemd(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\t", "\\t")
    .replaceAll("%", "%%");
  return `"${escaped}"`;
}
