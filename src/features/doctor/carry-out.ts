// Does what findings name as their repairs, in the order in which repairs depend on each other.
// Each repair is said before it is done; one that fails stops the rest, because the rest may need
// it.

import { ControlClient } from "../../api/client.ts";
import { type Finding, REPAIR_ORDER, type Repair } from "../../cli/kit/check.ts";
import { bringUp, placeDaemon } from "../../cli/kit/installation/bring-up.ts";
import {
  daemonStatus,
  type Installation,
  programFile,
  waitForDaemon,
} from "../../cli/kit/installation/installation.ts";
import type { Service } from "../../host/service/service.ts";
import { UserError } from "../../model/user-error.ts";

const WAIT_MS = 10_000;

/** The repairs of all findings, each once, in order. A restart that an installation brings along is left out. */
export function planRepairs(findings: readonly Finding[]): readonly Repair[] {
  const all = new Map<string, Repair>();
  for (const { repairs = [], verdict } of findings) {
    // A warning is repaired only when that costs nothing: replacing an authority about to expire is a
    // person's decision.
    for (const repair of repairs)
      if (verdict === "fail" || repair.kind === "bundle" || repair.kind === "restart")
        all.set(JSON.stringify(repair), repair);
  }
  const planned = [...all.values()];
  const restarts = new Set<Repair["kind"]>(["install", "authority"]);
  const isRestarted = planned.some(({ kind }) => restarts.has(kind));
  // A problem that a person must fix first (a policy that does not load) would stop a restarted daemon as
  // well.
  const isBlocked = findings.some(
    ({ check, verdict, repairs = [] }) =>
      verdict === "fail" && repairs.length === 0 && (check === "policy" || check === "port"),
  );
  return planned
    .filter(({ kind }) => kind !== "restart" || !(isRestarted || isBlocked))
    .sort((a, b) => REPAIR_ORDER.indexOf(a.kind) - REPAIR_ORDER.indexOf(b.kind));
}

/** Describes a repair as a clause. */
export function describeRepair(repair: Repair): string {
  switch (repair.kind) {
    case "chown":
      return `give ${repair.path} to user ${repair.uid}`;
    case "chmod":
      return `set the mode of ${repair.path} to ${repair.mode.toString(8).padStart(4, "0")}`;
    case "put-aside":
      return `rename ${repair.path} to ${repair.path}.broken`;
    case "policy":
      return "write the policy in force to policy.yaml";
    case "settings":
      return "write the settings in force to settings.yaml";
    case "authority":
      return "put the CA aside and make a new one";
    case "seed":
      return "write the missing ones of policy, CA and bundle";
    case "bundle":
      return "write the bundle again";
    case "install":
      return "place binary, marker and service unit";
    case "restart":
      return "restart the daemon";
    case "trust":
      return "have the CA trusted again";
  }
}

/** Why a repair cannot be done as things are; asked before it is begun, and by a dry run. */
export async function problemWith(
  repair: Repair,
  { paths }: Installation,
  service: Service | undefined,
): Promise<UserError | undefined> {
  switch (repair.kind) {
    case "chown":
      if (process.getuid?.() === 0) return undefined;
      return new UserError(`cannot give '${repair.path}' to user ${repair.uid}`, {
        hint: `sudo chown ${repair.uid} '${repair.path}'`,
      });
    case "authority": {
      const status = await daemonStatus(paths).catch(() => undefined);
      if (status === undefined || (await service?.state())?.kind === "running") return undefined;
      return new UserError(`the daemon (pid ${status.pid}) runs and holds the CA`, {
        hint: `stop it: kill ${status.pid}`,
      });
    }
    case "install":
      try {
        programFile();
        return undefined;
      } catch (error) {
        if (error instanceof UserError) return error;
        throw error;
      }
    default:
      return undefined;
  }
}

/** Carries out one repair. Throws a `UserError` when it cannot be done. */
export async function carryOut(
  repair: Repair,
  installation: Installation,
  service: Service | undefined,
): Promise<void> {
  const { paths, env, scope } = installation;
  const { chmod, chown, rename } = await import("node:fs/promises");
  switch (repair.kind) {
    case "chown":
      return chown(repair.path, repair.uid, -1).catch((cause: unknown) => {
        throw new UserError(`cannot give '${repair.path}' to user ${repair.uid}`, {
          hint: `sudo chown ${repair.uid} '${repair.path}'`,
          cause,
        });
      });
    case "chmod":
      return chmod(repair.path, repair.mode);
    case "put-aside":
      return rename(repair.path, `${repair.path}.broken`);
    case "policy":
      return writePolicy(installation);
    case "settings":
      return writeSettings(installation);
    case "authority": {
      const { renewAuthority } = await import("../../cli/kit/installation/seed.ts");
      await whileStopped(installation, service, () => renewAuthority(paths, env));
      return;
    }
    case "seed": {
      const { seedState } = await import("../../cli/kit/installation/seed.ts");
      await seedState(paths, env);
      return;
    }
    case "bundle": {
      const { renewBundle } = await import("../../cli/kit/installation/seed.ts");
      return renewBundle(paths, env);
    }
    case "install": {
      const { readInstallMode, wantsService, writeInstallMode } = await import(
        "../../host/service/install-mode.ts"
      );
      const hasService =
        service !== undefined &&
        ((await readInstallMode(paths)) === undefined || (await wantsService(paths)));
      const { isNew } = await placeDaemon(paths, env);
      await writeInstallMode(paths, scope, { hasService });
      if (hasService) await bringUp(paths, service, { isBinaryNew: isNew, waitMs: WAIT_MS });
      return;
    }
    case "restart":
      return restart(installation, service);
    case "trust": {
      const { trustCa } = await import("../../cli/kit/installation/trust-ca.ts");
      await trustCa(paths, env, (line) => void process.stderr.write(`${line}\n`));
    }
  }
}

async function restart({ paths }: Installation, service: Service | undefined): Promise<void> {
  if (service === undefined) return;
  const before = await daemonStatus(paths).catch(() => undefined);
  await service.restart();
  const isUp = await waitForDaemon(
    paths,
    WAIT_MS,
    (answer) => answer !== undefined && answer.pid !== before?.pid,
  );
  if (isUp === undefined)
    throw new UserError("the daemon was restarted but does not answer", {
      hint: `see its log: ${paths.log}`,
    });
}

/** The authority is the daemon's while it runs. */
async function whileStopped(
  installation: Installation,
  service: Service | undefined,
  work: () => Promise<void>,
): Promise<void> {
  const isService = (await service?.state())?.kind === "running";
  if (isService) await service?.stop();
  try {
    await work();
  } catch (error) {
    // The daemon comes back whatever became of the work; why it failed is what counts.
    if (isService) await restart(installation, service).catch(() => undefined);
    throw error;
  }
  if (isService) await restart(installation, service);
}

async function writePolicy({ paths }: Installation): Promise<void> {
  const { writeFileAtomic } = await import("../../state/files.ts");
  const daemon = new ControlClient(paths.socket);
  const { text } = await daemon.call("policy_show", {});
  await writeFileAtomic(paths.policy, text);
  await daemon.call("policy_reload", {});
}

async function writeSettings({ paths }: Installation): Promise<void> {
  const { DEFAULT_SETTINGS, editSettings } = await import("../../state/settings/settings.ts");
  const { writeFileAtomic } = await import("../../state/files.ts");
  const { settings } = await new ControlClient(paths.socket).call("settings_get", {});
  let text = "";
  for (const name of Object.keys(DEFAULT_SETTINGS) as (keyof typeof DEFAULT_SETTINGS)[])
    if (settings[name] !== DEFAULT_SETTINGS[name]) text = editSettings(text, name, settings[name]);
  await writeFileAtomic(paths.settings, text);
}
