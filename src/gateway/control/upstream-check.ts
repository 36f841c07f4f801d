// Checks the input of `upstreams_add` as the command line does, because others may speak to the
// socket too. A path must be absolute, name a file and be readable by the caller: a system's daemon
// is root, its caller is not.

import { realpathSync, type Stats, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Principal } from "../../api/principal.ts";
import type { UpstreamInput } from "../../api/reports.ts";
import { pathPrefixProblem, proxyUrlProblem } from "../../host/kubeconfig/cluster-server.ts";
import { isLoopbackAddress } from "../../match/destination.ts";
import { UserError } from "../../model/user-error.ts";
import { isReadableBy } from "../../state/trusted-file.ts";
import { parseAuthority } from "../../wire/http1/connect-request.ts";

/** Where the gateway itself listens. */
interface Listening {
  readonly host: string;
  readonly port: number;
}

const MAX_BYTES = 1024 * 1024;

/** Throws a `UserError` for the first thing that is wrong. */
export function checkUpstream(input: UpstreamInput, caller: Principal, listen: Listening): void {
  const { host, port } = input;
  const named = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw wrong(`'${port}' is not a port`, "a port is between 1 and 65535");
  if (parseAuthority(`${named}:${port}`) === undefined)
    throw wrong(`'${host}' is not a host`, "type host or host:port");
  if (input.ca_pem.length > MAX_BYTES)
    throw wrong("the CA is larger than 1 MiB", "name one certificate or a few");
  for (const prefix of input.path_prefixes ?? []) {
    const problem = pathPrefixProblem(prefix);
    if (problem !== undefined)
      throw wrong(`a path prefix cannot be kept: ${problem}`, "write it as /k8s/clusters/c-1");
  }
  if (input.proxy_url !== undefined) checkProxy(input.proxy_url, listen);
  for (const path of [input.certificate_path, input.key_path])
    if (path !== undefined) checkFile(path, caller);
}

function checkProxy(text: string, listen: Listening): void {
  const problem = proxyUrlProblem(text);
  if (problem !== undefined) throw wrong(`the proxy cannot be used: ${problem}`, "write socks5://host:port");
  const { hostname, port } = new URL(text);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (
    Number(port) === listen.port &&
    (host === "localhost" || host === listen.host || isLoopbackAddress(host))
  )
    throw wrong("the proxy is iddio itself", "name the proxy that leads to the cluster");
}

function checkFile(path: string, caller: Principal): void {
  if (!isAbsolute(path)) throw wrong(`'${path}' is not an absolute path`, "begin it with /");
  let found: Stats;
  let real: string;
  try {
    real = realpathSync(path);
    found = statSync(real);
  } catch {
    throw wrong(`there is no '${path}'`, "name a file that is there");
  }
  if (!found.isFile()) throw wrong(`'${path}' is not a file`, "name a PEM file or a kubeconfig");
  if (found.size > MAX_BYTES)
    throw wrong(`'${path}' is larger than 1 MiB`, "name a PEM file or a kubeconfig");
  if (!mayRead(real, found, caller)) throw wrong(`'${path}' is not yours to read`, "name a file of your own");
}

/** Whether the caller could have opened it. */
function mayRead(path: string, found: Stats, { uid }: Principal): boolean {
  if (uid === undefined || uid === 0 || uid === process.getuid?.()) return true;
  return isReadableBy(uid, path, found);
}

function wrong(message: string, hint: string): UserError {
  return new UserError(message, { hint, exitCode: 2 });
}
