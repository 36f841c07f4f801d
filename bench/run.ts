// `npm run bench`: iddio beside its peers on this machine, as ratios. Starts everything that it
// needs on loopback and ends it again. `-- --quick` for a short look, `-- --only keep-alive,splice`
// for parts.

import type { Bench, Section } from "./bench.ts";
import { lastRecorded, machine, record } from "./history.ts";
import type { OriginPorts } from "./origin-process.ts";
import { Report } from "./report.ts";
import { decideSection } from "./section/decide.ts";
import { delaySection } from "./section/delay.ts";
import { keepAliveSection, newConnectionsSection } from "./section/intercept.ts";
import { auditSection, memorySection, startUpSection } from "./section/machine.ts";
import { mcpSection } from "./section/mcp.ts";
import { recordingSection } from "./section/recording.ts";
import { runSection } from "./section/run.ts";
import { spliceSection, tunnelsSection } from "./section/splice.ts";
import { sshSection } from "./section/ssh.ts";
import { startWorker } from "./worker.ts";

const SECTIONS: readonly Section[] = [
  keepAliveSection,
  newConnectionsSection,
  delaySection,
  spliceSection,
  tunnelsSection,
  decideSection,
  startUpSection,
  memorySection,
  auditSection,
  runSection,
  sshSection,
  recordingSection,
  mcpSection,
];

const USAGE = `bench [--quick] [--only <section>[,<section>…]] [--rounds N] [--round-ms N] [--requests N]
      [--beside <another build of iddio>] [--record]
sections:
${SECTIONS.map(({ name, summary }) => `  ${name.padEnd(16)} ${summary}`).join("\n")}
--beside:   measures that program as well, e.g. of an earlier release
--record:   adds the medians to bench/history.tsv
--requests: over how many memory must not grow (default 200000; 20000 with --quick)
`;

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

function numberOption(name: string, otherwise: number): number {
  const value = Number(option(name) ?? otherwise);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} wants a whole number`);
}

function wanted(): readonly Section[] {
  const names = option("only")?.split(",");
  if (names === undefined) return SECTIONS;
  return names.map((name) => {
    const section = SECTIONS.find((each) => each.name === name);
    if (section === undefined) throw new Error(`no section '${name}'\n${USAGE}`);
    return section;
  });
}

async function main(): Promise<void> {
  const isQuick = process.argv.includes("--quick");
  const sections = wanted();
  await using originWorker = startWorker("origin-process.ts");
  await using load = startWorker("load/process.ts");
  const report = new Report();
  const bench: Bench = {
    rounds: numberOption("rounds", isQuick ? 3 : 5),
    roundMs: numberOption("round-ms", isQuick ? 800 : 3000),
    isQuick,
    memoryRequests: numberOption("requests", isQuick ? 20_000 : 200_000),
    origin: await originWorker.call<OriginPorts>("ports"),
    originWorker,
    load,
    report,
    beside: option("beside"),
  };
  report.write(machine());
  report.write(`${bench.rounds} rounds; medians, with the smallest and the largest value`);
  for (const section of sections) {
    report.heading(`${section.name}: ${section.summary}`);
    await section.run(bench);
  }
  report.finish(lastRecorded());
  if (process.argv.includes("--record")) record(report.bars);
}

if (process.argv.includes("--help")) process.stdout.write(USAGE);
else await main();
process.exit(0);
