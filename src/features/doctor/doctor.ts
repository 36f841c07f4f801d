// `iddio doctor`: looks the installation over and changes nothing. `--notify` sends one
// notification, because only the person at the screen can say whether it is seen.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { installationOf, SYSTEM_FLAG } from "../../cli/kit/installation/installation.ts";
import type { Output } from "../../cli/kit/output.ts";
import type { Environment } from "../../host/process/environment.ts";
import { UserError } from "../../model/user-error.ts";
import { examineLive } from "./examine-live.ts";

/** Prints what every check found; exit code 1 when one failed. */
export const doctorCommand: Command = {
  name: "doctor",
  summary: "Check the installation: files, service, daemon, CA, policy",
  flags: [
    { name: "notify", summary: "Send one notification, to see whether it is shown" },
    { name: "live", summary: "Also send every installed client one harmless request" },
    SYSTEM_FLAG,
    JSON_FLAG,
  ],
  details: [
    "Changes nothing. To fix the findings marked 'fail': iddio repair",
    "With --live it runs kubectl, gcloud, aws, gh, terraform, helm, wrangler, fly and",
    "curl, as far as they are installed, against a name that only the daemon answers",
    "to: are they routed through iddio, do they trust it, are their requests classified.",
  ],
  async run(context) {
    const { flags, output, env } = context;
    if (flags.has("notify")) return notifyOnce(env, output);
    const { examine, findingsJson, isHealthy, printFindings } = await import("./examine.ts");
    const { findings: found } = await examine(installationOf(context), await context.features());
    const live = flags.has("live") ? await examineLive(context) : undefined;
    const findings = [...found, ...(live?.findings ?? [])];
    const healthy = isHealthy(findings);
    if (flags.has("json"))
      output.json({
        healthy,
        findings: findingsJson(findings),
        ...(live === undefined ? {} : { live: live.results }),
      });
    else await printFindings(findings, output);
    return healthy ? 0 : 1;
  },
};

/**
 * Nobody but the person at the screen can say whether it was seen: macOS files a notification that it may not
 * show, and says nothing.
 */
async function notifyOnce(env: Environment, output: Output): Promise<number> {
  const { findDesktop } = await import("../../host/process/desktop-notification.ts");
  const desktop = findDesktop(env);
  if (desktop === undefined)
    throw new UserError("there is no desktop session to show a notification in", {
      hint: "decide with: iddio approval watch",
    });
  const isShown = await desktop.show(
    "iddio: a test",
    "This is how a request that waits for you is announced.",
  );
  if (!isShown)
    throw new UserError(`'${desktop.program}' failed, so no notification was sent`, {
      hint: "decide with: iddio approval watch",
    });
  output.line(`one notification was sent by ${desktop.program}`);
  if (desktop.alert !== undefined) {
    output.line("If you saw none: run 'display notification \"x\"' in Script Editor once and allow it,");
    output.line(
      "or have a window instead, which needs no permission: iddio settings set notifications=alert",
    );
  }
  return 0;
}
