// The environment variables that a part of the program is given, instead of reading the process's
// own; and which of them no program of ours may inherit, because they make it load code or trust
// other certificates.

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that load code into a program, turn it into another one, or change whom it trusts. */
export const UNSAFE_VARIABLES: readonly string[] = [
  // A compiled program is Bun with a script: these give it options, another script, a debugger.
  "BUN_OPTIONS",
  "BUN_BE_BUN",
  "BUN_INSPECT",
  "BUN_INSPECT_CONNECT_TO",
  "BUN_INSPECT_NOTIFY",
  "BUN_INSPECT_PRELOAD",
  "NODE_OPTIONS",
  "NODE_PATH",
  "NODE_EXTRA_CA_CERTS",
  "NODE_TLS_REJECT_UNAUTHORIZED",
  "OPENSSL_CONF",
  "OPENSSL_MODULES",
  "LD_AUDIT",
  "LD_LIBRARY_PATH",
  "LD_PRELOAD",
  "DYLD_FALLBACK_LIBRARY_PATH",
  "DYLD_FRAMEWORK_PATH",
  "DYLD_INSERT_LIBRARIES",
  "DYLD_LIBRARY_PATH",
];

/** The environment of a daemon, or of another copy of this program: all but the unsafe variables. */
export function programEnvironment(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !UNSAFE_VARIABLES.includes(name)));
}

/** The system's own programs need these to find their user, session and terminal. */
const TOOL_VARIABLES: readonly string[] = [
  "HOME",
  "USER",
  "LOGNAME",
  "TERM",
  "TMPDIR",
  "XDG_RUNTIME_DIR",
  "XDG_CONFIG_HOME",
  "DBUS_SESSION_BUS_ADDRESS",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "XAUTHORITY",
  "SUDO_ASKPASS",
];

/** The environment of a program of the system: a short list of variables, and the system's own PATH. */
export function toolEnvironment(env: Environment, path: string): Environment {
  const kept = TOOL_VARIABLES.filter((name) => env[name] !== undefined).map((name) => [name, env[name]]);
  return { ...Object.fromEntries(kept), PATH: path, LC_ALL: "C" };
}
