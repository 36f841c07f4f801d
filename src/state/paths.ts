// Where every file of the state directory is. Pure but for the user's home directory; touches no
// disk. Anything else that joins a file name onto the state directory is a bug. Loaded at every
// start: node:path, which takes three milliseconds, only where a path is not plain.

/** Absolute paths of everything that iddio keeps. */
export interface StatePaths {
  /** The state directory itself, 0700. */
  readonly root: string;
  /** Where policy.yaml and settings.yaml are: the state directory, or `/etc/iddio` of a system install. */
  readonly config: string;
  readonly caCertificate: string;
  readonly caKey: string;
  /** System roots plus the iddio CA. */
  readonly bundle: string;
  readonly policy: string;
  /** The text of the policy that came into force last: a file that was cut off while the daemon was down is told by it. */
  readonly policyInForce: string;
  /** The JSON Schema that the first line of policy.yaml names, for editors. */
  readonly policySchema: string;
  /** The copy that `iddio policy edit` works on. */
  readonly policyDraft: string;
  readonly settings: string;
  readonly audit: string;
  /** Signs checkpoints of the audit log's chain. */
  readonly auditKey: string;
  readonly observe: string;
  readonly socket: string;
  readonly log: string;
  /** The daemon's stderr where a service manager keeps no journal (launchd): above all why it did not start. */
  readonly daemonErrors: string;
  readonly database: string;
  /** Held by the running daemon; see lock.ts. */
  readonly lock: string;
  readonly installMode: string;
  readonly caTrusted: string;
  /** The overlay that `iddio kubeconfig` writes. */
  readonly kubeconfig: string;
  /** The daemon's binary, as `iddio install` places it. */
  readonly daemonBinary: string;
  /** A folder for the sockets and records of `iddio run`. */
  readonly runs: string;
  /** A folder for the key, sockets and client configuration of SSH. */
  readonly ssh: string;
  /** By which clients of SSH trust the key that iddio shows. */
  readonly sshKnownHosts: string;
  /** The system's ssh configuration as `iddio run` shows it. */
  readonly sshRunConfig: string;
  /** The folder in which the agents of each profile keep files between runs. */
  readonly runHomes: string;
  /** A folder for files that agents made and that would start programs outside. */
  readonly quarantine: string;
  /** A folder for copies of terraform's saved plans that somebody was asked about. */
  readonly plans: string;
  /** A folder for recorded sessions. */
  readonly recordings: string;
  /** A folder for what changes of clusters replaced, encrypted. */
  readonly undo: string;
  /** The key of that folder. */
  readonly undoKey: string;
  /** A folder for what agents' settings files were before their hooks were installed. */
  readonly hooks: string;
  /** A folder for profiles that replace the built-in ones. */
  readonly profiles: string;
  /** A folder for releases that are being downloaded. */
  readonly updates: string;
  /** The lock of a running upgrade, whichever process runs it. */
  readonly updateLock: string;
}

/**
 * Reads `IDDIO_HOME` (the state directory, default `~/.iddio`) and `IDDIO_CONFIG` (the directory of policy and
 * settings, default the state directory). Relative values are taken from the working directory; empty ones count as unset.
 */
export function statePaths(env: Readonly<Record<string, string | undefined>>): StatePaths {
  const root = resolve(env.IDDIO_HOME || join(env.HOME || homedir(), ".iddio"));
  const config = env.IDDIO_CONFIG ? resolve(env.IDDIO_CONFIG) : root;
  return {
    root,
    config,
    caCertificate: join(root, "ca.crt"),
    caKey: join(root, "ca.key"),
    bundle: join(root, "ca-bundle.pem"),
    policy: join(config, "policy.yaml"),
    policyInForce: join(root, "policy.in-force.yaml"),
    policySchema: join(config, "policy.schema.json"),
    policyDraft: join(config, "policy.draft.yaml"),
    settings: join(config, "settings.yaml"),
    audit: join(root, "audit.jsonl"),
    auditKey: join(root, "audit.key"),
    observe: join(root, "observe.jsonl"),
    socket: join(root, "iddio.sock"),
    log: join(root, "iddio.log"),
    daemonErrors: join(root, "daemon.stderr.log"),
    database: join(root, "state.db"),
    lock: join(root, "iddio.lock"),
    installMode: join(root, "install_mode"),
    caTrusted: join(root, "ca_trusted"),
    kubeconfig: join(root, "kubeconfig"),
    daemonBinary: join(root, "bin", "iddio-daemon"),
    runs: join(root, "runs"),
    ssh: join(root, "ssh"),
    sshKnownHosts: join(root, "ssh", "known_hosts"),
    sshRunConfig: join(root, "ssh", "run_config"),
    runHomes: join(root, "run-homes"),
    quarantine: join(root, "quarantine"),
    plans: join(root, "plans"),
    recordings: join(root, "recordings"),
    undo: join(root, "undo"),
    undoKey: join(root, "undo.key"),
    hooks: join(root, "hooks"),
    profiles: join(config, "profiles"),
    updates: join(root, "updates"),
    updateLock: join(root, "update.lock"),
  };
}

/** An absolute path without anything to resolve stays as it is. */
function resolve(path: string): string {
  const isPlain = path.startsWith("/") && !/\/(?:\.{0,2}(?:\/|$))/.test(path);
  return isPlain ? path : process.getBuiltinModule("node:path").resolve(path);
}

function join(...parts: readonly string[]): string {
  return parts.join("/").replace(/^\/+/, "/");
}

function homedir(): string {
  return process.getBuiltinModule("node:os").homedir();
}

const SYSTEM_ROOT = "/var/lib/iddio";

/** The paths of a system install: state in `/var/lib/iddio`, policy and settings in `/etc/iddio`. */
export function systemStatePaths(): StatePaths {
  return statePaths({ IDDIO_HOME: SYSTEM_ROOT, IDDIO_CONFIG: "/etc/iddio" });
}

/** The mode of a state directory. A system's lets its user through to the socket and everybody to the bundle. */
export function directoryMode(path: string): number {
  return path === SYSTEM_ROOT ? 0o711 : 0o700;
}
