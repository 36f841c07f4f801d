// doctor: the daemon as something that runs: marker, binary, unit, supervisor, process, socket and
// port. A part that was never installed is skipped, not failed: `install --no-service` and `iddio
// gateway` are legitimate.

import { lstat, readFile, stat } from "node:fs/promises";
import { connect } from "node:net";
import { startCommand } from "../../api/client.ts";
import type { CheckContext, Finding } from "../../cli/kit/check.ts";
import { askProgram } from "../../host/service/daemon-binary.ts";
import { modeOf, readInstallMode, wantsService } from "../../host/service/install-mode.ts";
import { UserError } from "../../model/user-error.ts";
import { parseSettings } from "../../state/settings/settings.ts";
import { readConfigFile } from "../../state/trusted-file.ts";

const CONNECT_MS = 2000;

/** Whether the marker is there and of this kind. */
export async function checkMode({ paths, service }: CheckContext): Promise<Finding> {
  const about = { check: "install mode", lookedAt: paths.installMode };
  const wanted = modeOf(service?.scope ?? "user");
  const found = await readInstallMode(paths);
  if (found === wanted) return { ...about, verdict: "ok", detail: found };
  if (found === undefined && !(await isInstalled(paths.daemonBinary)))
    return {
      ...about,
      verdict: "warn",
      detail: "not installed: the daemon runs only while somebody runs 'iddio gateway'",
      fix: "iddio install",
    };
  return {
    ...about,
    verdict: "fail",
    detail: found === undefined ? "the marker is missing" : `${found} instead of ${wanted}`,
    fix: "iddio repair writes it",
    repairs: [{ kind: "install" }],
  };
}

/** Whether the daemon's copy of the program is there, runs, and is of this program's version. */
export async function checkBinary({ paths, env, version }: CheckContext): Promise<Finding> {
  const about = { check: "binary", lookedAt: paths.daemonBinary };
  const repairs = [{ kind: "install" }] as const;
  if (!(await isInstalled(paths.daemonBinary))) {
    if ((await readInstallMode(paths)) === undefined)
      return { ...about, verdict: "skip", detail: "not installed" };
    return { ...about, verdict: "fail", detail: "not there", fix: "iddio repair places it", repairs };
  }
  try {
    const found = await askProgram(paths.daemonBinary, env);
    if (found.version === version) return { ...about, verdict: "ok", detail: version };
    return {
      ...about,
      verdict: "warn",
      detail: `${found.version}, while this program is ${version}`,
      fix: "iddio install places this program's",
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      ...about,
      verdict: "fail",
      detail: "does not run",
      fix: "iddio repair installs it again",
      repairs,
    };
  }
}

/** Whether the unit file has the right text. */
export async function checkUnit({ paths, service }: CheckContext): Promise<Finding> {
  const about = { check: "unit", lookedAt: service?.unitPath ?? "no supervisor" };
  if (service === undefined || !(await isServiceExpected(paths)))
    return { ...about, verdict: "skip", detail: "installed without a service" };
  const text = await readFile(service.unitPath, "utf8").catch(() => undefined);
  if (text === service.unit) return { ...about, verdict: "ok", detail: "as iddio writes it" };
  return {
    ...about,
    verdict: "fail",
    detail: text === undefined ? "not there" : "not as iddio writes it",
    fix: "iddio repair writes it",
    repairs: [{ kind: "install" }],
  };
}

/** Checks the supervisor's view of the daemon. */
export async function checkService({ paths, service }: CheckContext): Promise<Finding> {
  const about = { check: "service", lookedAt: service?.supervisor ?? "no supervisor" };
  if (service === undefined || !(await isServiceExpected(paths)))
    return { ...about, verdict: "skip", detail: "installed without a service" };
  const state = await service.state();
  switch (state.kind) {
    case "running":
      return {
        ...about,
        verdict: "ok",
        detail: `runs${state.pid === undefined ? "" : `, pid ${state.pid}`}`,
      };
    case "unreachable":
      return {
        ...about,
        verdict: "fail",
        detail: `does not answer: ${state.detail}`,
        fix: "log in as this user, or run the daemon yourself: iddio gateway",
      };
    case "absent":
      return {
        ...about,
        verdict: "fail",
        detail: "does not know the daemon",
        fix: "iddio repair registers it",
        repairs: [{ kind: "install" }],
      };
    case "stopped":
      return {
        ...about,
        verdict: "fail",
        detail: `stopped: ${state.detail}`,
        fix: `iddio repair, or: ${service.restartCommand}`,
        repairs: [{ kind: "restart" }],
      };
  }
}

/** Whether the daemon answers, and is of this program's version. */
export async function checkDaemon({
  paths,
  daemon,
  daemonProblem,
  version,
  service,
}: CheckContext): Promise<Finding> {
  const about = { check: "daemon", lookedAt: paths.socket };
  const isService = service !== undefined && (await isServiceExpected(paths));
  if (daemon === undefined)
    return {
      ...about,
      verdict: "fail",
      detail: daemonProblem ?? "does not answer",
      fix: isService ? `iddio repair, or: ${service.restartCommand}` : startCommand(paths.socket),
      ...(isService ? { repairs: [{ kind: "restart" }] } : {}),
    };
  if (daemon.version !== version)
    return {
      ...about,
      verdict: "warn",
      detail: `pid ${daemon.pid}, ${daemon.version}, while this program is ${version}`,
      fix: "iddio install brings the daemon to this program's version",
    };
  return { ...about, verdict: "ok", detail: `pid ${daemon.pid}, ${daemon.version}, policy ${daemon.policy}` };
}

/** Whether the socket is a socket of ours that others cannot reach. */
export async function checkSocket({ paths, daemon, service }: CheckContext): Promise<Finding> {
  const about = { check: "socket", lookedAt: paths.socket };
  const found = await lstat(paths.socket).catch(() => undefined);
  const restart =
    service !== undefined && (await isServiceExpected(paths)) ? ([{ kind: "restart" }] as const) : [];
  if (found === undefined) {
    if (daemon === undefined) return { ...about, verdict: "skip", detail: "not there, like the daemon" };
    return { ...about, verdict: "fail", detail: "not there", fix: "restart the daemon", repairs: restart };
  }
  if (!found.isSocket())
    return {
      ...about,
      verdict: "fail",
      detail: "not a socket",
      fix: "iddio repair puts it aside",
      repairs: [{ kind: "put-aside", path: paths.socket }, ...restart],
    };
  if ((found.mode & 0o177) !== 0)
    return {
      ...about,
      verdict: "fail",
      detail: "open to other users",
      fix: "iddio repair",
      repairs: [{ kind: "chmod", path: paths.socket, mode: 0o600 }],
    };
  if (daemon === undefined)
    return {
      ...about,
      verdict: "warn",
      detail: "left behind by a daemon that is gone",
      fix: "the next start replaces it",
      repairs: restart,
    };
  return { ...about, verdict: "ok", detail: "closed to others" };
}

/** Whether the proxy's port is the daemon's. */
export async function checkPort({ paths, daemon, service }: CheckContext): Promise<Finding> {
  const listen = daemon?.proxyListen ?? (await configuredListen(paths.settings));
  const about = { check: "port", lookedAt: listen };
  const isTaken = await accepts(listen);
  if (daemon !== undefined) {
    if (isTaken) return { ...about, verdict: "ok", detail: "the daemon listens" };
    return {
      ...about,
      verdict: "fail",
      detail: "the daemon does not listen",
      fix: service?.restartCommand ?? "restart the daemon",
      repairs: service === undefined ? [] : [{ kind: "restart" }],
    };
  }
  if (!isTaken) return { ...about, verdict: "ok", detail: "free" };
  return {
    ...about,
    verdict: "fail",
    detail: "another program listens there: the daemon cannot start",
    fix: "end that program, or choose another address: proxy_listen in settings.yaml",
  };
}

async function configuredListen(path: string): Promise<string> {
  const parsed = parseSettings((await readConfigFile(path).catch(() => undefined)) ?? "");
  return "settings" in parsed ? parsed.settings.proxy_listen : "127.0.0.1:9443";
}

function accepts(listen: string): Promise<boolean> {
  const { host = "", port = "0" } = /^\[?(?<host>[^\]]*)\]?:(?<port>\d+)$/.exec(listen)?.groups ?? {};
  if (port === "0") return Promise.resolve(false);
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return new Promise((resolve) => {
    const socket = connect(Number(port), reachable);
    const settle = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.setTimeout(CONNECT_MS, () => settle(false));
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

/** Whether requests are judged at all. */
export async function checkProxyMode({ daemon }: CheckContext): Promise<Finding> {
  const about = { check: "proxy mode", lookedAt: "iddio get-proxy-mode" };
  if (daemon === undefined) return { ...about, verdict: "skip", detail: "there is no daemon" };
  if (daemon.proxyMode === "enforce") return { ...about, verdict: "ok", detail: "enforce" };
  return {
    ...about,
    verdict: "warn",
    detail: `${daemon.proxyMode}: nothing is held or refused`,
    fix:
      daemon.proxyMode === "observe"
        ? "iddio observe stop, or: iddio set-proxy-mode enforce"
        : "iddio set-proxy-mode enforce",
  };
}

async function isInstalled(binary: string): Promise<boolean> {
  return (await stat(binary).catch(() => undefined))?.isFile() === true;
}

async function isServiceExpected(paths: CheckContext["paths"]): Promise<boolean> {
  return (await readInstallMode(paths)) !== undefined && (await wantsService(paths));
}
