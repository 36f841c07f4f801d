// The text of the OpenSSH configuration and of the known-hosts file for the policy's hosts. Pure.
// Nothing in it is for any other host: what iddio's key may stand for are exactly the entries of
// the list.

import type { InspectEntry } from "../../match/inspect-entry.ts";
import { shellWord } from "../../text/quote-posix.ts";

/** The paths in the configuration. */
export interface ConfigPlaces {
  /** This program. */
  readonly program: readonly string[];
  /** The state directory, where it is not the usual one. */
  readonly home: string | undefined;
  readonly known: string;
  /** ssh (10.1 and newer) warns of key exchanges that are not post-quantum, and the way to iddio has none. */
  readonly warnsOfKeys: boolean;
  /** Whether ssh (8.1 and newer) lets one cipher be named before its usual ones. */
  readonly ordersCiphers: boolean;
  /** Whether `ssh-proxy` can hand its connection to ssh, instead of carrying each byte of it. */
  readonly passesConnections: boolean;
}

/** The configuration: one `Match` for all hosts of the list, and one for each user that only some hosts are listed for. */
export function sshConfigText(entries: readonly InspectEntry[], places: ConfigPlaces): string {
  const users = [...new Set(entries.map(({ user }) => user))];
  const blocks = users.map((user) =>
    matchBlock(
      entries.filter((entry) => entry.user === user),
      user,
      places,
    ),
  );
  return [
    "# Written by `iddio ssh-config`. These hosts go through iddio, which shows a key of its own for them.",
    ...blocks,
    "Match all",
    "",
  ].join("\n");
}

function matchBlock(
  entries: readonly InspectEntry[],
  user: string | undefined,
  places: ConfigPlaces,
): string {
  const patterns = [...new Set(entries.flatMap(hostPatterns))];
  const home = places.home === undefined ? "" : `/usr/bin/env IDDIO_HOME=${shellWord(places.home)} `;
  const program = places.program.map(shellWord).join(" ");
  // iddio's own `ssh` to the host reads the same files, and must not come back here.
  const match = `Match host "${patterns.join(",")}"${user === undefined ? "" : ` user "${user}"`}`;
  return [
    `${match} exec "test -z $IDDIO_SSH_UPSTREAM"`,
    `  ProxyCommand ${home}${program} ssh-proxy %h %p %n`,
    `  UserKnownHostsFile ${sshWord(places.known)} ~/.ssh/known_hosts ~/.ssh/known_hosts2`,
    // The quickest one for the way to iddio, which stays on this machine.
    ...(places.ordersCiphers ? ["  Ciphers ^aes128-gcm@openssh.com"] : []),
    // Nothing to ask: the policy says who may log in.
    "  PreferredAuthentications none,publickey,keyboard-interactive,password",
    // A master that is open already would lead around iddio.
    "  ControlMaster no",
    "  ControlPath none",
    "  ForwardAgent no",
    "  ForwardX11 no",
    "  CheckHostIP no",
    // The way to iddio stays on this machine; from iddio on it is the operator's ssh.
    ...(places.warnsOfKeys ? ["  WarnWeakCrypto no-pq-kex"] : []),
    // Another program in its place, named on the command line, gives ssh bytes.
    ...(places.passesConnections
      ? [
          `${match} !exec "test $IDDIO_SSH_UPSTREAM || grep -qzi proxycommand /proc/$PPID/cmdline"`,
          "  ProxyUseFdpass yes",
        ]
      : []),
  ].join("\n");
}

/** The operator's own word for a host. */
export interface HostAlias {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** For the inside of `iddio run`, where every connection leads through iddio: the key that iddio shows, and aliases. */
export function runConfigText(
  entries: readonly InspectEntry[],
  { known, warnsOfKeys }: Pick<ConfigPlaces, "known" | "warnsOfKeys">,
  aliases: readonly HostAlias[],
): string {
  const named = aliases.map(
    ({ name, host, port, user }) => `Host ${name}\n  HostName ${host}\n  Port ${port}\n  User ${user}\n`,
  );
  const patterns = [...new Set(entries.flatMap(hostPatterns))].join(",");
  return `# Written by \`iddio ssh-config\`.
${named.join("")}Match host "${patterns}"
  UserKnownHostsFile ${sshWord(known)}
${warnsOfKeys ? "  WarnWeakCrypto no-pq-kex\n" : ""}Match all
`;
}

/**
 * The lines by which clients trust iddio's authority, and for clients that know no certificates its key, for these hosts
 * only.
 */
export function knownHostsText(
  entries: readonly InspectEntry[],
  { authority, key }: { readonly authority: string; readonly key: string },
): string {
  const names = [
    ...new Set(entries.flatMap((entry) => hostPatterns(entry).flatMap((each) => withPort(each, entry.port)))),
  ];
  return names.map((name) => `@cert-authority ${name} ${authority}\n${name} ${key}\n`).join("");
}

function withPort(host: string, port: number | undefined): readonly string[] {
  if (port === 22) return [host];
  if (port === undefined) return [host, `[${host}]:*`];
  return [`[${host}]:${port}`];
}

/** Patterns as ssh reads them: `*` and `?` only. */
function hostPatterns({ kind, host, network }: InspectEntry): readonly string[] {
  switch (kind) {
    case "host":
    case "address":
      return [host];
    case "suffix":
      return [`*${host}`];
    case "glob":
      return /[[\]{}!^,]/.test(host) ? expandBraces(host) : [host];
    case "cidr":
      return network?.family === 4 ? ipv4Patterns(network.parts, network.prefix) : [];
    case "any":
      return [];
  }
}

/** Braces become several patterns; a class becomes `?`, which may match a little more. */
function expandBraces(host: string): readonly string[] {
  const simple = host.replace(/\[[^\]]*\]/g, "?");
  const open = /\{([^{}]*)\}/.exec(simple);
  if (open === null) return [simple];
  const [whole, inner = ""] = open;
  return inner.split(",").flatMap((each) => expandBraces(simple.replace(whole, each)));
}

function ipv4Patterns(parts: readonly number[], prefix: number): readonly string[] {
  const octets = parts.flatMap((part) => (part > 255 ? [part >> 8, part & 255] : [part])).slice(0, 4);
  const fixed = Math.floor(prefix / 8);
  const spare = prefix % 8;
  const head = octets.slice(0, fixed);
  const tail = (count: number) => Array.from({ length: count }, () => "*");
  if (fixed === 4) return [head.join(".")];
  if (spare === 0) return [[...head, ...tail(4 - fixed)].join(".")];
  const size = 2 ** (8 - spare);
  const base = Math.floor((octets[fixed] ?? 0) / size) * size;
  return Array.from({ length: size }, (_, index) => [...head, base + index, ...tail(3 - fixed)].join("."));
}

function sshWord(text: string): string {
  return /^[\w./@+-]+$/.test(text) ? text : `"${text}"`;
}
