// The checks of `iddio doctor`, as an explicit ordered list: the installation here, and the checks
// of features from their feature.ts. The contract is cli/kit/check.ts.

import { existsSync } from "node:fs";
import type { Check, CheckContext, Finding, NamedCheck } from "../../cli/kit/check.ts";
import { UserError } from "../../model/user-error.ts";
import { checkAuthority, checkBundle, checkTrust } from "./check-authority.ts";
import { checkPolicy, checkSettings } from "./check-config.ts";
import { checkLocalNetwork, checkNotifications } from "./check-mac.ts";
import { checkAudit, checkClients, checkClock, checkDisk } from "./check-machine.ts";
import {
  checkBinary,
  checkDaemon,
  checkMode,
  checkPort,
  checkProxyMode,
  checkService,
  checkSocket,
  checkUnit,
} from "./check-service.ts";
import { checkDatabase, checkFiles, checkStateDirectory } from "./check-state.ts";

const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ["state directory", checkStateDirectory],
  ["files", checkFiles],
  ["database", checkDatabase],
  ["disk", checkDisk],
  ["clock", checkClock],
  ["policy", checkPolicy],
  ["settings", checkSettings],
  ["ca", checkAuthority],
  ["bundle", checkBundle],
  ["trust", checkTrust],
  ["install mode", checkMode],
  ["binary", checkBinary],
  ["unit", checkUnit],
  ["service", checkService],
  ["daemon", checkDaemon],
  ["proxy mode", checkProxyMode],
  ["socket", checkSocket],
  ["port", checkPort],
  ["audit", checkAudit],
  ["clients", checkClients],
];

/** Checks that only macOS needs. */
const MAC_CHECKS: typeof CHECKS = [
  ["local network", checkLocalNetwork],
  ["notifications", checkNotifications],
];

/** The installation's own checks with those of the features, each where it says that it belongs. */
function withFeatures(own: typeof CHECKS, others: readonly NamedCheck[]): typeof CHECKS {
  const all = [...own];
  for (const { name, check, after } of others) {
    const at = all.findIndex(([each]) => each === after);
    all.splice(at < 0 ? all.length : at + 1, 0, [name, check]);
  }
  return all;
}

/**
 * Looks at everything, one after the other; where there is no state directory at all, at nothing else. A check that
 * fails to look is a finding like any other.
 */
export async function runChecks(
  context: CheckContext,
  ofFeatures: readonly NamedCheck[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const here = withFeatures(CHECKS, ofFeatures);
  const all = context.platform === "darwin" ? [...here, ...MAC_CHECKS] : here;
  for (const [name, check] of existsSync(context.paths.root) ? all : CHECKS.slice(0, 1)) {
    findings.push(
      await check(context).catch((error: unknown) => ({
        check: name,
        lookedAt: context.paths.root,
        verdict: "fail" as const,
        detail: `could not be looked at: ${error instanceof Error ? error.message : String(error)}`,
        fix:
          (error instanceof UserError ? error.hint : undefined) ??
          "fix the problem, then run iddio doctor again",
      })),
    );
  }
  return findings;
}
