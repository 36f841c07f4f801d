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

/** Whether a file holds secrets; also for a pattern (`*`, `?`, `[…]`, `**` for any depth) that a secret may match. */
export function mayBeSecret(path: string): boolean {
  const clean = normalPath(path);
  if (SECRETS.some((each) => each.test(clean))) return true;
  if (!/[*?[\]{}]/.test(clean)) return false;
  const pattern = new RegExp(
    `^${clean
      .replace(/[.+^$()|\\{}]/g, (each) => (each === "{" || each === "}" ? ".*" : `\\${each}`))
      .replace(/\[[^\]]*\]?/g, "[^/]")
      .replace(/\*+/g, (stars) => (stars.length > 1 ? ".*" : "[^/]*"))
      .replace(/\?/g, "[^/]")}$`,
  );
  return EXAMPLES.some((each) => pattern.test(each));
}

/** Whether reading everything below a folder reads secrets. */
export function holdsSecrets(folder: string): boolean {
  const clean = normalPath(folder).replace(/\/+$/, "");
  if (/^(?:\/home(?:\/[^/]+)?|\/root|~[^/]*|\/Users(?:\/[^/]+)?)?$/.test(clean)) return true;
  return mayBeSecret(`${clean}/x`) || mayBeSecret(`${clean}/**`);
}

/** How risky it is to change a file, and why; undefined when it is nobody's but the one who writes. */
export function writeRisk(path: string): { readonly tier: Tier; readonly reason: string } | undefined {
  const clean = normalPath(path);
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
  if (
    /(?:^|\/)\.(?:bashrc|bash_profile|bash_login|bash_logout|profile|zshrc|zshenv|zprofile|zlogin|kshrc|cshrc|tcshrc|inputrc|vimrc|gitconfig|xprofile|pam_environment)$|\/\.config\/(?:fish|systemd|autostart)\//.test(
      clean,
    )
  )
    return { tier: "sensitive", reason: `${clean} is run when somebody logs in` };
  return undefined;
}

/** Files that decide who gets in, who may become whom, and which code is loaded into every program. */
const ACCESS: readonly RegExp[] = [
  /\/\.ssh(?:\/|$)/,
  /(?:^|\/)authorized_keys2?$/,
  /^\/etc\/(?:passwd|shadow|group|gshadow|subuid|subgid|sudoers|sudoers\.d|pam\.d|pam\.conf|ssh|ld\.so\.preload|security|login\.defs|securetty|polkit-1|doas\.conf|nsswitch\.conf|ca-certificates|krb5)/,
  /^\/etc\/(?:crontab|cron\.|anacrontab|at\.|rc\.local|init\.d|systemd|profile|bash|environment)/,
  /^\/var\/spool\/(?:cron|at)/,
  /^\/boot(?:\/|$)/,
];

/** Without `//`, `/./` and, as far as they can be told, `..`; a home directory by its variable becomes `~`. */
export function normalPath(path: string): string {
  const home = path.replace(/^\$(?:HOME|\{HOME\})(?=\/|$)/, "~");
  const parts: string[] = [];
  for (const part of home.split("/")) {
    if (part === "" || part === ".") continue;
    const last = parts.at(-1);
    if (part === ".." && last !== undefined && last !== ".." && !/[*?[]/.test(last)) parts.pop();
    else parts.push(part);
  }
  const lead = home.startsWith("/") ? "/" : "";
  const text = lead + parts.filter((part) => !(lead === "/" && part === "..")).join("/");
  return text === "" ? "." : text;
}
