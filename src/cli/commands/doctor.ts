// `iddio doctor`: looks the installation over and changes nothing.

import { type Command, JSON_FLAG } from "../command.ts";
import { installationOf, SYSTEM_FLAG } from "../installation.ts";

/** Prints what every check found; exit code 1 when one failed. */
export const doctorCommand: Command = {
  name: "doctor",
  summary: "Look over the installation: files, service, daemon, CA, policy",
  flags: [SYSTEM_FLAG, JSON_FLAG],
  details: ["Changes nothing. What it flags as 'fail' is mended by: iddio repair"],
  async run(context) {
    const { flags, output } = context;
    const { examine, findingsJson, isHealthy, printFindings } = await import("../examine.ts");
    const { findings } = await examine(installationOf(context));
    const healthy = isHealthy(findings);
    if (flags.has("json")) output.json({ healthy, findings: findingsJson(findings) });
    else await printFindings(findings, output);
    return healthy ? 0 : 1;
  },
};
