// doctor: the daemon's surroundings: disk, clock, the audit log, and the environment of the shell
// that asks. Nothing here is iddio's to change but the mode of its own files.

import { constants } from "node:fs";
import { access, readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { CheckContext, Finding } from "../../cli/kit/check.ts";
import { lowDisk } from "../../state/disk-room.ts";
import { errorCode } from "../../state/files.ts";
import { readLast } from "../../state/journal/read.ts";

const MIB = 1024 * 1024;
const DISK_FAIL_MIB = 20;
const DISK_WARN_MIB = 200;
const DAY_MS = 86_400_000;

/** Whether there is room for the audit log: without it requests above observe are refused. */
export async function checkDisk({ paths }: CheckContext): Promise<Finding> {
  const about = { check: "disk", lookedAt: paths.root };
  const disk = await statfs(paths.root).catch(() => undefined);
  if (disk === undefined) return { ...about, verdict: "skip", detail: "the state directory is not there" };
  const freeMib = Math.floor((disk.bavail * disk.bsize) / MIB);
  // File systems without a fixed number of files report none at all.
  const isOutOfFiles = disk.files > 0 && disk.ffree === 0;
  const detail = isOutOfFiles ? "no file can be made any more" : `${freeMib} MiB free`;
  const fix = "make room: while the audit cannot be written, requests above observe are refused";
  if (isOutOfFiles || freeMib < DISK_FAIL_MIB) return { ...about, verdict: "fail", detail, fix };
  const low = lowDisk({ freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize });
  if (freeMib < DISK_WARN_MIB || low !== undefined)
    return { ...about, verdict: "warn", detail: low ?? detail, fix };
  return { ...about, verdict: "ok", detail };
}

/** Whether the clock can be right: not before this program was made, and no file is from tomorrow. */
export async function checkClock({ paths, version, nowMs }: CheckContext): Promise<Finding> {
  const about = { check: "clock", lookedAt: "the clock of this machine" };
  const fix = "set the clock of this machine: certificates and grants depend on it";
  const built = versionMs(version);
  if (built !== undefined && nowMs < built - DAY_MS)
    return { ...about, verdict: "fail", detail: `before this program was built (${version})`, fix };
  for (const name of await readdir(paths.root).catch(() => [])) {
    const found = await stat(join(paths.root, name)).catch(() => undefined);
    if (found !== undefined && found.mtimeMs > nowMs + DAY_MS)
      return { ...about, verdict: "warn", detail: `'${name}' was written in the future`, fix };
  }
  return { ...about, verdict: "ok", detail: "later than everything that it should be later than" };
}

/** When a `vYY.MMDD.HHMM` was built. */
function versionMs(version: string): number | undefined {
  const parts = /^v(\d\d)\.(\d\d)(\d\d)\.(\d\d)(\d\d)$/.exec(version)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = parts;
  return Date.UTC(2000 + year, month - 1, day, hour, minute);
}

/** Whether the audit log can be read and written, and what its last row is. */
export async function checkAudit({ paths, nowMs }: CheckContext): Promise<Finding> {
  const about = { check: "audit", lookedAt: paths.audit };
  const found = await stat(paths.audit).catch((error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw error;
    return undefined;
  });
  if (found === undefined) return { ...about, verdict: "ok", detail: "not begun" };
  if (!found.isFile())
    return { ...about, verdict: "fail", detail: "not a file", fix: "move it away and restart the daemon" };
  try {
    await access(paths.audit, constants.R_OK | constants.W_OK);
  } catch {
    return {
      ...about,
      verdict: "fail",
      detail: "cannot be read and written",
      fix: "iddio repair",
      repairs: [{ kind: "chmod", path: paths.audit, mode: 0o600 }],
    };
  }
  const [last] = await readLast(paths.audit, { last: 1 });
  const size = `${(found.size / MIB).toFixed(1)} MiB`;
  if (found.size > 0 && last === undefined)
    return {
      ...about,
      verdict: "warn",
      detail: `${size} without one row`,
      fix: "look into the file; iddio goes on writing behind it",
    };
  if (last !== undefined && last.timestamp_ms > nowMs + DAY_MS)
    return { ...about, verdict: "warn", detail: "the last row is from the future", fix: "see the clock" };
  return {
    ...about,
    verdict: "ok",
    detail: last === undefined ? "empty" : `${size}, last row ${new Date(last.timestamp_ms).toISOString()}`,
  };
}

/** Whether this shell sends its clients through the daemon, with a bundle they can verify it by. */
export async function checkClients({ paths, env, daemon }: CheckContext): Promise<Finding> {
  const about = { check: "clients", lookedAt: "HTTPS_PROXY, SSL_CERT_FILE, KUBECONFIG of this shell" };
  const fix = 'eval "$(iddio shell-init)"';
  const proxy = env.HTTPS_PROXY || env.https_proxy;
  if (daemon === undefined) {
    const isOurs = env.SSL_CERT_FILE === paths.bundle && proxy !== undefined;
    if (!isOurs) return { ...about, verdict: "skip", detail: "there is no daemon to send them through" };
    return {
      ...about,
      verdict: "fail",
      detail: `they are sent to ${proxy}, where no daemon is`,
      fix: "start the daemon, or: unset HTTPS_PROXY HTTP_PROXY https_proxy http_proxy",
    };
  }
  if (!proxy) return { ...about, verdict: "warn", detail: "this shell is not routed through iddio", fix };
  const port = daemon.proxyListen.split(":").at(-1);
  if (!new RegExp(`:${port}/?$`).test(proxy))
    return {
      ...about,
      verdict: "warn",
      detail: `HTTPS_PROXY is ${proxy}, the daemon listens on ${daemon.proxyListen}`,
      fix,
    };
  const certificates = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "AWS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
  ];
  const wrong = certificates.filter((name) => env[name] !== paths.bundle);
  if (wrong.length > 0)
    return { ...about, verdict: "warn", detail: `${wrong.join(", ")} do not name ${paths.bundle}`, fix };
  return { ...about, verdict: "ok", detail: "routed through iddio, with its bundle" };
}
