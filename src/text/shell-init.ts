// The snippet that `eval "$(iddio shell-init)"` runs at every shell start, and the one that takes
// it back. It must do nothing when the daemon is down, or every CLI would be pointed at a closed
// port; it must survive any path; and a variable's previous value is kept in IDDIO_WAS_<name>, for
// people who are behind another proxy without iddio. Both letter cases of the proxy variables are
// set: curl reads http_proxy in lower case only, others only the upper.

import { quotePosix } from "./quote-posix.ts";

/** The shells that a snippet exists for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell whose syntax is known. */
export type Shell = (typeof SHELLS)[number];

/** The paths and names that the snippet is made of; every path is absolute. */
export interface ShellInit {
  /** The command that starts iddio, for the gate: its binary, or an interpreter and the source. */
  readonly program: readonly string[];
  /** IDDIO_HOME for the gate when it is not the default. */
  readonly home?: string;
  /** `http://host:port` of the proxy. */
  readonly proxyUrl: string;
  readonly bundle: string;
  /** The overlay kubeconfig; used only while the file is there. */
  readonly kubeconfig: string;
}

const PROXY_VARIABLES = ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"];
const BUNDLE_VARIABLES = [
  "SSL_CERT_FILE",
  "REQUESTS_CA_BUNDLE",
  "NODE_EXTRA_CA_CERTS",
  "AWS_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  // Not in the manual's table: these read none of the above (bq and gcloud only the second, curl with
  // another TLS library than OpenSSL only the first, pip and cargo and Deno and gRPC each its own).
  "CURL_CA_BUNDLE",
  "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
  "PIP_CERT",
  "CARGO_HTTP_CAINFO",
  "DENO_CERT",
  "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
];
/** Node's own fetch reads the proxy variables only when it is told to. */
const NODE_SWITCH = "NODE_USE_ENV_PROXY";
const NO_PROXY_VARIABLES = ["NO_PROXY", "no_proxy"];
/** Local servers are not behind a proxy; kubectl reaches local clusters by the overlay's proxy-url, which ignores NO_PROXY. */
const LOCAL_NAMES = "localhost,127.0.0.1,::1";
/** Set last and unset last: whether this shell is routed through iddio, and by which address. */
const MARK = "IDDIO_PROXY";

/** The snippet for one shell; ends with a line feed. */
export function renderShellInit(shell: Shell, init: ShellInit): string {
  return `${(shell === "fish" ? fishLines(init) : posixLines(init)).join("\n")}\n`;
}

/** The snippet that gives every variable its previous value back; only if it still holds iddio's. */
export function renderShellUnset(shell: Shell, init: Pick<ShellInit, "bundle" | "kubeconfig">): string {
  return `${(shell === "fish" ? fishUnsetLines(init) : posixUnsetLines(init)).join("\n")}\n`;
}

function posixLines(init: ShellInit): string[] {
  const home = init.home === undefined ? "" : `IDDIO_HOME=${quotePosix(init.home)} `;
  const set = (name: string, value: string) => `  _iddio ${name} ${value}`;
  return [
    "# iddio: routes this shell through the local gateway while its daemon is up",
    `if ${home}${init.program.map(quotePosix).join(" ")} status --quiet; then`,
    "  _iddio() {",
    `    [ -n "\${${MARK}:-}" ] || eval "[ -z \\"\\\${$1+x}\\" ] || [ \\"\\$$1\\" = \\"\\$2\\" ] || export IDDIO_WAS_$1=\\"\\$$1\\""`,
    '    export "$1=$2"',
    "  }",
    ...PROXY_VARIABLES.map((name) => set(name, quotePosix(init.proxyUrl))),
    ...BUNDLE_VARIABLES.map((name) => set(name, quotePosix(init.bundle))),
    set(NODE_SWITCH, "1"),
    ...NO_PROXY_VARIABLES.flatMap((name) => [
      `  case ",\${${name}:-}," in`,
      "    *,127.0.0.1,*) ;;",
      `    *) _iddio ${name} "\${${name}:+$${name},}${LOCAL_NAMES}" ;;`,
      "  esac",
    ]),
    `  if [ -r ${quotePosix(init.kubeconfig)} ]; then _iddio KUBECONFIG ${quotePosix(init.kubeconfig)}; fi`,
    `  export ${MARK}=${quotePosix(init.proxyUrl)}`,
    "  unset -f _iddio",
    "fi",
  ];
}

function posixUnsetLines({ bundle, kubeconfig }: Pick<ShellInit, "bundle" | "kubeconfig">): string[] {
  return [
    "# iddio: takes this shell off the local gateway; a variable that was changed since stays as it is",
    `if [ -n "\${${MARK}:-}" ]; then`,
    "  _iddio() {",
    `    eval "[ \\"\\\${$1:-}\\" = \\"\\$2\\" ]" || return 0`,
    `    eval "if [ -n \\"\\\${IDDIO_WAS_$1+x}\\" ]; then export $1=\\"\\$IDDIO_WAS_$1\\"; else unset $1; fi; unset IDDIO_WAS_$1"`,
    "  }",
    ...PROXY_VARIABLES.map((name) => `  _iddio ${name} "$${MARK}"`),
    ...BUNDLE_VARIABLES.map((name) => `  _iddio ${name} ${quotePosix(bundle)}`),
    `  _iddio ${NODE_SWITCH} 1`,
    ...NO_PROXY_VARIABLES.map(
      (name) => `  _iddio ${name} "\${IDDIO_WAS_${name}:+$IDDIO_WAS_${name},}${LOCAL_NAMES}"`,
    ),
    `  _iddio KUBECONFIG ${quotePosix(kubeconfig)}`,
    `  unset ${MARK}`,
    "  unset -f _iddio",
    "fi",
  ];
}

function fishLines(init: ShellInit): string[] {
  const home = init.home === undefined ? "" : `env IDDIO_HOME=${quoteFish(init.home)} `;
  const set = (name: string, value: string) => `  _iddio ${name} ${value}`;
  return [
    "# iddio: routes this shell through the local gateway while its daemon is up",
    `if ${home}${init.program.map(quoteFish).join(" ")} status --quiet`,
    "  function _iddio --argument-names name value",
    `    if not set -q ${MARK}; and set -q $name; and test "$$name" != "$value"`,
    '      set -gx IDDIO_WAS_$name "$$name"',
    "    end",
    "    set -gx $name $value",
    "  end",
    ...PROXY_VARIABLES.map((name) => set(name, quoteFish(init.proxyUrl))),
    ...BUNDLE_VARIABLES.map((name) => set(name, quoteFish(init.bundle))),
    set(NODE_SWITCH, "1"),
    ...NO_PROXY_VARIABLES.flatMap((name) => [
      `  if not string match -q '*,127.0.0.1,*' -- ",$${name},"`,
      `    if test -n "$${name}"`,
      `      _iddio ${name} "$${name},${LOCAL_NAMES}"`,
      "    else",
      `      _iddio ${name} '${LOCAL_NAMES}'`,
      "    end",
      "  end",
    ]),
    `  if test -r ${quoteFish(init.kubeconfig)}`,
    `    _iddio KUBECONFIG ${quoteFish(init.kubeconfig)}`,
    "  end",
    `  set -gx ${MARK} ${quoteFish(init.proxyUrl)}`,
    "  functions -e _iddio",
    "end",
  ];
}

function fishUnsetLines({ bundle, kubeconfig }: Pick<ShellInit, "bundle" | "kubeconfig">): string[] {
  return [
    "# iddio: takes this shell off the local gateway; a variable that was changed since stays as it is",
    `if set -q ${MARK}`,
    "  function _iddio --argument-names name value",
    '    test "$$name" = "$value"; or return 0',
    "    set -l was IDDIO_WAS_$name",
    "    if set -q $was",
    "      set -gx $name $$was",
    "    else",
    "      set -e $name",
    "    end",
    "    set -e $was",
    "  end",
    ...PROXY_VARIABLES.map((name) => `  _iddio ${name} "$${MARK}"`),
    ...BUNDLE_VARIABLES.map((name) => `  _iddio ${name} ${quoteFish(bundle)}`),
    `  _iddio ${NODE_SWITCH} 1`,
    ...NO_PROXY_VARIABLES.flatMap((name) => [
      `  if set -q IDDIO_WAS_${name}; and test -n "$IDDIO_WAS_${name}"`,
      `    _iddio ${name} "$IDDIO_WAS_${name},${LOCAL_NAMES}"`,
      "  else",
      `    _iddio ${name} '${LOCAL_NAMES}'`,
      "  end",
    ]),
    `  _iddio KUBECONFIG ${quoteFish(kubeconfig)}`,
    `  set -e ${MARK}`,
    "  functions -e _iddio",
    "end",
  ];
}

/** In fish, backslash and single quote are escaped inside single quotes. */
function quoteFish(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
