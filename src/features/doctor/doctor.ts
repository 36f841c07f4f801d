// `iddio doctor`: looks the installation over and changes nothing.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { installationOf, SYSTEM_FLAG } from "../../cli/kit/installation/installation.ts";
import { examineLive } from "./examine-live.ts";

/** Prints what every check found; exit code 1 when one failed. */
export const doctorCommand: Command = {
  name: "doctor",
  summary: "Check the installation: files, service, daemon, CA, policy",
  flags: [
    { name: "live", summary: "Also send every installed client one harmless request" },
    SYSTEM_FLAG,
    JSON_FLAG,
  ],
  details: [
    "Changes nothing. To fix the findings marked 'fail': iddio repair",
    "With --live it runs kubectl, gcloud, aws, gh, terraform, helm, wrangler, fly and",
    "curl, as far as they are installed, against a name that only the daemon answers",
    "to: are they routed through iddio, do they trust it, is what they do classified.",
  ],
  async run(context) {
    const { flags, output } = context;
    const { examine, findingsJson, isHealthy, printFindings } = await import("./examine.ts");
    const { findings: found } = await examine(installationOf(context));
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
