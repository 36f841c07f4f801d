// Part 6: one client that does everything at once to take everything, for as long as told; what a
// person and another client get of the gateway meanwhile.

import { processorMs } from "../../../bench/process-usage.ts";
import { underAttack } from "../../support/wire/under-attack.ts";
import type { Report } from "../report.ts";
import { STALL_MS } from "./requests.ts";

/** An answer of the control socket. */
const CONTROL_MS = 500;
const MEMORY_MB = 400;

/** Runs the attack and reports every claim. */
export async function soakUnkind(
  { minutes, tell }: { readonly minutes: number; readonly tell: (line: string) => void },
  report: Report,
): Promise<void> {
  if (processorMs(process.pid) === undefined) report.note("memory is not known on this system");
  const seen = await underAttack({ seconds: minutes * 60, scale: 1, openFiles: 4_096, tell });
  report.note(`it had, at the end: ${seen.had}`);
  for (const [name, ms] of Object.entries(seen.slowestMs))
    report.claim(`'${name}' answers within ${CONTROL_MS} ms`, ms < CONTROL_MS, `${ms.toFixed(0)} ms at most`);
  report.claim(
    "another client's reads pass",
    seen.readProblems.length === 0 && seen.reads > 0,
    `${seen.reads} passed, the slowest in ${seen.slowestReadMs.toFixed(0)} ms; ${seen.readProblems.length} did not: ${seen.readProblems[0] ?? "-"}`,
  );
  report.claim(
    `memory stays under ${MEMORY_MB} MB`,
    seen.mostMb < MEMORY_MB,
    `${seen.mostMb.toFixed(0)} MB at most`,
  );
  report.claim(
    `nothing stalls for ${STALL_MS} ms`,
    seen.longestStallMs < STALL_MS,
    `${seen.longestStallMs} ms at most`,
  );
  report.claim("no socket is left", seen.socketsAfter === 0, `${seen.socketsAfter} open`);
}
