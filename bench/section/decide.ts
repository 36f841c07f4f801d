// The cost of judging: the corpora through classify and decide, and a policy of 10,000 rules.

import { join } from "node:path";
import { CORPORA } from "../../test/truth/corpora.ts";
import type { Section } from "../bench.ts";
import type { CorpusTimes } from "../corpus-process.ts";
import { median, short, shown } from "../series.ts";
import { startWorker } from "../worker.ts";

/** Corpora of requests; those of command lines never meet a request's path. */
export const decideSection: Section = {
  name: "decide",
  summary: "classify and decide on the corpora, µs a request",
  async run({ report, rounds }) {
    const rows = [["corpus", "requests", "p50", "p99", "p99 of the requests' medians"]];
    for (const corpus of CORPORA) {
      const times: CorpusTimes[] = [];
      for (let round = 0; round < rounds; round++) {
        await using worker = startWorker("corpus-process.ts");
        times.push(...(await worker.call<readonly CorpusTimes[]>("measure", corpus)));
      }
      for (const isGraphql of [false, true]) {
        const those = times.filter((each) => each.isGraphql === isGraphql);
        const [first] = those;
        if (first === undefined) continue;
        const name = isGraphql ? `${corpus}, GraphQL` : corpus;
        const p99 = those.map((each) => each.p99);
        const p50 = those.map((each) => each.p50);
        const own99 = those.map((each) => each.own99);
        rows.push([name, String(first.requests), shown(p50), shown(p99), shown(own99)]);
        report.bar({
          what: `judge, p99 on ${name}`,
          value: median(p99),
          limit: isGraphql ? 500 : 50,
          wants: "at most",
          unit: " µs",
          spread: `${short(Math.min(...p99))} to ${short(Math.max(...p99))}`,
        });
      }
    }
    if (rows.length > 1) report.table(rows);
    else report.write("  the corpora are not on this machine");
    await runScript("decide.ts");
  },
};

/** Runs one of the measurements that stand by themselves, printing as it goes. */
export async function runScript(file: string): Promise<void> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "..", file)], {
    stdout: "inherit",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) throw new Error(`${file} failed`);
}
