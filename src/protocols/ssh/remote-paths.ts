// Judges by its path alone what it means to read or change a file on a Unix machine: files with
// keys and passwords, files that say who may do what, files that are run later. A path is not
// followed: a link may lead elsewhere.

import type { Tier } from "../../model/tier.ts";

/** Paths that hold keys, passwords or tokens; `~` is any home directory. */
const SECRETS: readonly RegExp[] = [
  /\/\.ssh\/(?!(?:known_hosts|config|authorized_keys|[^/]*\.pub)[^/]*$)/,
  /(?:^|\/)id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?[^/.]*$/,
  /^\/etc\/(?:shadow|gshadow|sudoers|krb5\.keytab|security\/opasswd|ppp\/chap-secrets|wpa_supplicant)/,
  /^\/etc\/(?:ssl\/private|letsencrypt\/(?:live|archive|keys|accounts)|wireguard|openvpn|NetworkManager\/system-connections|pki\/tls\/private|ipsec\.d)(?:\/|$)/,
  /^\/etc\/ssh\/ssh_host_[^/]*_key$/,
  /^\/etc\/kubernetes\/(?:[^/]*\.conf$|pki\/[^/]*\.key)/,
  /^\/etc\/rancher\/|^\/var\/lib\/(?:kubelet|rancher|etcd|vault)(?:\/|$)/,
  /^(?:\/var)?\/run\/secrets(?:\/|$)/,
  /^\/proc\/[^/]+\/(?:task\/[^/]+\/)?(?:environ|mem|fd|root|cwd|auxv)(?:\/|$)|^\/proc\/(?:kcore|kallsyms)/,
  /^\/dev\/(?!(?:null|zero|urandom|random|stdin|stdout|stderr|tty|fd\/[0-2]|full|shm(?:\/|$))(?:$|\/))/,
  /\/\.(?:netrc|pgpass|my\.cnf|mylogin\.cnf|npmrc|pypirc|git-credentials|dockercfg|vault-token|htpasswd|s3cfg|boto|rclone\.conf)$/,
  /(?:^|\/)\.env(?:\.(?!example|sample|template)[\w-]+)*$/,
  /\/\.(?:aws\/(?!config$)|gnupg|kube|docker\/config\.json|azure|password-store|terraform\.d\/credentials|config\/(?:gcloud|gh|rclone))(?:\/|$)?/,
  /\/\.[a-z]+_history$|\/\.(?:bash|zsh|sh|mysql|psql|python|node_repl|rediscli)_?history$/,
  /\.(?:key|p12|pfx|jks|keystore|kdbx|ovpn|keytab|ppk)$/,
  /(?:^|\/)(?!(?:[^/]*(?:chain|cert|ca|crt|public)[^/]*)\.pem$)[^/]*\.pem$/,
  /(?:^|\/)[^/]*(?:secret|credential|password|passwd-|private[-_]?key|api[-_]?key|htpasswd)[^/]*(?:\/|$)/i,
  /(?:^|\/)[\w.-]*tokens?(?:\.\w+)?$/i,
  /(?:^|\/)wp-config\.php$|(?:^|\/)(?:database|secrets)\.ya?ml$|(?:^|\/)master\.key$/,
];

/** Files of which patterns are tried; every one of them is a secret. */
const EXAMPLES: readonly string[] = [
  "/etc/shadow",
  "/etc/gshadow",
  "/etc/sudoers",
  "/etc/ssh/ssh_host_ed25519_key",
  "/etc/ssl/private/site.key",
  "/etc/letsencrypt/live/a.b/privkey.pem",
  "/etc/kubernetes/admin.conf",
  "/etc/krb5.keytab",
  "/root/.ssh/id_ed25519",
  "/root/.aws/credentials",
  "/root/.bash_history",
  "/home/user/.ssh/id_rsa",
  "/home/user/.aws/credentials",
  "/home/user/.env",
  "~/.ssh/id_ed25519",
  "~/.ssh/id_rsa",
  "~/.aws/credentials",
  "~/.netrc",
  "~/.bash_history",
  "~/.kube/config",
  "/proc/1/environ",
  "/proc/self/environ",
  "/run/secrets/db",
  "/var/run/secrets/kubernetes.io/serviceaccount/token",
  "/var/lib/kubelet/config.json",
  "/dev/sda",
  "/dev/mem",
];

/** Names of files with secrets, for patterns that stand for a name in any folder. */
const SECRET_NAMES: readonly string[] =
  ".env .env.production .netrc .pgpass .my.cnf .npmrc .git-credentials .bash_history id_rsa id_ed25519 id_ecdsa credentials credentials.json secrets.yml secrets.yaml database.yml wp-config.php master.key privkey.pem server.key token".split(
    " ",
  );

/** Whether a file holds secrets; also for a pattern (`*`, `?`, `[…]`, `**` for any depth) that a secret may match. */
export function mayBeSecret(path: string): boolean {
  return placesOf(path).some(isSecretPlace);
}

function isSecretPlace(clean: string): boolean {
  if (SECRETS.some((each) => each.test(clean))) return true;
  if (!/[*?[\]{}]/.test(clean)) return false;
  const name = clean.slice(clean.lastIndexOf("/") + 1);
  // `*` and `*.*` alone say nothing; as a shell has it, they do not mean names that begin with a dot.
  if (
    !clean.startsWith("/etc/") &&
    /[^*?.]/.test(name) &&
    SECRET_NAMES.some((each) => matchesName(name, each))
  )
    return true;
  const pattern = new RegExp(
    `^${clean
      .replace(/[.+^$()|\\{}]/g, (each) => (each === "{" || each === "}" ? ".*" : `\\${each}`))
      .replace(/\[[^\]]*\]?/g, "[^/]")
      .replace(/\?/g, "[^/]")
      // `**/` is any depth, none as well.
      .replace(/\*\*+\/|\*+/g, (stars) =>
        stars.endsWith("/") ? "(?:.*/)?" : stars.length > 1 ? ".*" : "[^/]*",
      )}$`,
  );
  return EXAMPLES.some((each) => pattern.test(each));
}

function matchesName(pattern: string, name: string): boolean {
  if (name.startsWith(".") && !pattern.startsWith(".")) return false;
  const text = pattern
    .replace(/[.+^$()|\\{}]/g, (each) => (each === "{" || each === "}" ? ".*" : `\\${each}`))
    .replace(/\[[^\]]*\]?/g, ".")
    .replace(/\*+/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${text}$`).test(name);
}

/** Whether a folder is somebody's home, or holds homes. */
function isHome(folder: string): boolean {
  return placesOf(folder).some((clean) =>
    /^(?:\/home(?:\/[^/]+)?|\/root|~[^/]*|\/Users(?:\/[^/]+)?|\/)?$/.test(clean.replace(/\/+$/, "")),
  );
}

/** Whether reading everything below a folder reads secrets. */
export function holdsSecrets(folder: string): boolean {
  if (isHome(folder)) return true;
  return placesOf(folder).some((each) => {
    const clean = each.replace(/\/+$/, "");
    // The folder of an application: its `.env` is there. What is deeper is its code and its logs.
    if (/^(?:\/srv|\/opt|\/var\/www|\/app|\/home\/[^/]+|~)(?:\/[^/]+)?$/.test(clean))
      return !PUBLIC.test(clean);
    return isSecretPlace(`${clean}/x`) || isSecretPlace(`${clean}/**`);
  });
}

/** Folders of logs and documents, wherever they are. */
const PUBLIC = /\/(?:logs?|docs?|src|tests?)$/;

/** How risky it is to change a file, and why; undefined when it is nobody's but the one who writes. */
export function writeRisk(path: string): { readonly tier: Tier; readonly reason: string } | undefined {
  const risks = placesOf(path).map(riskOfPlace);
  return risks.find((each) => each?.tier === "break-glass") ?? risks.find((each) => each !== undefined);
}

/** The same for a whole tree of files whose names come later: a home has files by which people get in. */
export function writeTreeRisk(folder: string): { readonly tier: Tier; readonly reason: string } | undefined {
  const clean = normalPath(folder);
  return /^~$|^\/home\/[^/]+$/.test(clean)
    ? { tier: "sensitive", reason: `what arrives in ${clean} may be ~/.ssh or what a login runs` }
    : writeRisk(folder);
}

function riskOfPlace(clean: string): { readonly tier: Tier; readonly reason: string } | undefined {
  if (/^\/dev\/(?:null|stdout|stderr|tty|fd\/[12])$/.test(clean)) return undefined;
  if (
    /[*?[\]{}]/.test(clean) &&
    !/^\/(?:tmp|var\/tmp|srv|opt|home|var\/log|var\/www)\//.test(clean) &&
    clean.startsWith("/")
  )
    return { tier: "sensitive", reason: "it is a pattern" };
  if (ACCESS.some((each) => each.test(clean)))
    return { tier: "break-glass", reason: `${clean} says who gets in, or who may do what` };
  if (/^\/dev\/|^\/proc\/|^\/sys\//.test(clean))
    return { tier: "break-glass", reason: `${clean} is a device or the kernel` };
  if (/^\/?$|^~\/?$|^\.{1,2}$|^\/home\/?$|^\/root\/?$/.test(clean))
    return { tier: "break-glass", reason: `${clean} holds everything` };
  if (mayBeSecret(clean)) return { tier: "sensitive", reason: `${clean} holds secrets` };
  if (/^\/(?:etc|boot|usr|bin|sbin|lib\w*|root|var\/lib|var\/spool|run|snap)(?:\/|$)/.test(clean))
    return { tier: "sensitive", reason: `${clean} belongs to the system` };
  if (RUN_LATER.some((each) => each.test(clean)))
    return { tier: "sensitive", reason: `${clean} is run, or says what is run, later` };
  return undefined;
}

/** Files that a login, a shell, an editor, a mail or git runs without being asked, or that stand first on a PATH. */
const RUN_LATER: readonly RegExp[] = [
  /(?:^|\/)\.(?:bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zshenv|zprofile|zlogin|zlogout|kshrc|mkshrc|cshrc|tcshrc|login|logout|inputrc|vimrc|exrc|nanorc|emacs|gitconfig|xprofile|xsession|xinitrc|pam_environment|forward|procmailrc|screenrc|tmux\.conf|lessfilter|lesskey|gdbinit|psqlrc|sqliterc|pythonrc|npmrc|envrc)$/,
  /\/\.config\/(?:fish|systemd|autostart|environment\.d|git|nvim|pip)(?:\/|$)|\/\.(?:vim|emacs\.d|oh-my-zsh|pyenv|nvm)\//,
  /(?:^|~|\/home\/[^/]+|\/root)\/(?:\.local\/)?bin\/|\/\.(?:cargo|local|npm-global)\/(?:bin|lib|share\/systemd)\//,
  /(?:^|\/)[^/]*\.git\/(?:config|config\.worktree|commondir|hooks|info\/attributes|modules|worktrees)(?:\/|$)/,
];

/** Files that decide who gets in, who may become whom, and which code is loaded into every program. */
const ACCESS: readonly RegExp[] = [
  /\/\.ssh(?:\/|$)/,
  /(?:^|\/)(?:authorized_keys2?|\.rhosts|\.shosts|\.k5login|\.k5users)$/,
  /^\/etc\/(?:passwd|shadow|group|gshadow|subuid|subgid|sudoers|sudoers\.d|pam\.d|pam\.conf|ssh|ld\.so\.preload|security|login\.defs|securetty|polkit-1|doas\.conf|nsswitch\.conf|ca-certificates|krb5)/,
  /^\/etc\/(?:crontab|cron\.|anacrontab|at\.|rc\.local|init\.d|systemd|profile|bash|environment)/,
  /^\/var\/spool\/(?:cron|at)/,
  /^\/boot(?:\/|$)/,
];

/** Without `//`, `/./` and, as far as possible, `..`; a home directory by its variable becomes `~`. */
export function normalPath(path: string): string {
  const home = path.replace(/^\$(?:HOME|\{HOME\})(?=\/|$)/, "~");
  const parts: string[] = [];
  for (const part of home.split("/")) {
    if (part === "" || part === ".") continue;
    const last = parts.at(-1);
    const isHomeDirectory = parts.length === 1 && /^~/.test(last ?? "") && !home.startsWith("/");
    if (part === ".." && last !== undefined && last !== ".." && !isHomeDirectory && !/[*?[]/.test(last))
      parts.pop();
    else parts.push(part);
  }
  const lead = home.startsWith("/") ? "/" : "";
  const text = lead + parts.filter((part) => !(lead === "/" && part === "..")).join("/");
  return text === "" ? "." : text;
}

/** Where a path may lead: what climbs out of a home directory is somewhere above it, and homes are at several depths. */
function placesOf(path: string): readonly string[] {
  const clean = normalPath(path);
  const above = /^(?:~[^/]*\/)?((?:\.\.\/)*\.\.)(?:\/(.*))?$/.exec(clean);
  if (above === null) return [clean];
  const rest = above[2] ?? "";
  const roots = ["", "/home", "/var/lib", "/var"];
  // A home at the root has only the root above it; further up there is nothing else.
  return [clean, ...roots.map((root) => normalPath(`${root}/${rest}`))];
}
