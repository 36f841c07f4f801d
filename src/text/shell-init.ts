// The snippet that `eval "$(iddio shell-init)"` runs at every shell start. It must do nothing when
// the daemon is down, or every CLI would be pointed at a closed port; and it must survive any path.
// Both letter cases of the proxy variables are set: curl reads http_proxy in lower case only, others
// only the upper.

/** The shells that a snippet exists for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell whose syntax is known. */
export type Shell = (typeof SHELLS)[number];

/** What the snippet is made of; every path is absolute. */
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
  // another TLS library than OpenSSL only the first).
  "CURL_CA_BUNDLE",
  "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
];
/** Local servers are not behind a proxy; kubectl reaches local clusters by the overlay's proxy-url, which ignores NO_PROXY. */
const LOCAL_NAMES = "localhost,127.0.0.1,::1";

/** The snippet for one shell; ends with a line feed. */
export function renderShellInit(shell: Shell, init: ShellInit): string {
  return `${(shell === "fish" ? fishLines(init) : posixLines(init)).join("\n")}\n`;
}

function posixLines(init: ShellInit): string[] {
  const home = init.home === undefined ? "" : `IDDIO_HOME=${quotePosix(init.home)} `;
  const noProxy = ["NO_PROXY", "no_proxy"].flatMap((name) => [
    `  case ",\${${name}:-}," in`,
    "    *,127.0.0.1,*) ;;",
    `    *) export ${name}="\${${name}:+$${name},}${LOCAL_NAMES}" ;;`,
    "  esac",
  ]);
  return [
    "# iddio: routes this shell through the local gateway while its daemon is up",
    `if ${home}${init.program.map(quotePosix).join(" ")} status --quiet; then`,
    ...PROXY_VARIABLES.map((name) => `  export ${name}=${quotePosix(init.proxyUrl)}`),
    ...BUNDLE_VARIABLES.map((name) => `  export ${name}=${quotePosix(init.bundle)}`),
    ...noProxy,
    `  if [ -r ${quotePosix(init.kubeconfig)} ]; then export KUBECONFIG=${quotePosix(init.kubeconfig)}; fi`,
    "fi",
  ];
}

function fishLines(init: ShellInit): string[] {
  const home = init.home === undefined ? "" : `env IDDIO_HOME=${quoteFish(init.home)} `;
  const noProxy = ["NO_PROXY", "no_proxy"].flatMap((name) => [
    `  if not string match -q '*,127.0.0.1,*' -- ",$${name},"`,
    `    if test -n "$${name}"`,
    `      set -gx ${name} "$${name},${LOCAL_NAMES}"`,
    "    else",
    `      set -gx ${name} '${LOCAL_NAMES}'`,
    "    end",
    "  end",
  ]);
  return [
    "# iddio: routes this shell through the local gateway while its daemon is up",
    `if ${home}${init.program.map(quoteFish).join(" ")} status --quiet`,
    ...PROXY_VARIABLES.map((name) => `  set -gx ${name} ${quoteFish(init.proxyUrl)}`),
    ...BUNDLE_VARIABLES.map((name) => `  set -gx ${name} ${quoteFish(init.bundle)}`),
    ...noProxy,
    `  if test -r ${quoteFish(init.kubeconfig)}`,
    `    set -gx KUBECONFIG ${quoteFish(init.kubeconfig)}`,
    "  end",
    "end",
  ];
}

/** Single quotes hold everything in a POSIX shell but the single quote itself. */
function quotePosix(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** In fish, backslash and single quote are escaped inside single quotes. */
function quoteFish(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
