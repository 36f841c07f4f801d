// Memory and open files of the gateway over time, as the system counts them. Where the system does
// not tell, claims about them are left out and said to be.

import { openFiles, residentMb } from "../../bench/process-usage.ts";
import type { Report } from "./report.ts";

/** Under this many requests the program is still warming up, and its growth says nothing about what follows. */
export const WARM_REQUESTS = 500_000;
const GROWTH = 1.1;
const WARMING_MB = 80;
const LOOK_MS = 500;
/** A file or two of its own may have been opened meanwhile. */
const SPARE_FILES = 2;
/** The gateway looks after the connections that it keeps every ten seconds. */
const PATIENCE_MS = 20_000;

/** Samples of one process, from the start of its work on. */
export class MemoryLevel {
  readonly #pid: number;
  readonly #samples: { readonly progress: number; readonly mb: number }[] = [];
  readonly #timer: ReturnType<typeof setInterval>;

  /** `progress` says how much of the work is done, 0 to 1. */
  constructor(pid: number, progress: () => number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#look(progress()), LOOK_MS);
    this.#look(0);
  }

  #look(progress: number): void {
    const mb = residentMb(this.#pid);
    if (mb !== undefined) this.#samples.push({ progress, mb });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#look(1);
  }

  /** Claims that the second half of the work took no more than the first. */
  judge(report: Report, isWarm: boolean): void {
    if (this.#samples.length === 0) {
      report.note("memory is not known on this system");
      return;
    }
    const first = mean(this.#samples.filter(({ progress }) => progress > 0.05 && progress < 0.5));
    const second = mean(this.#samples.filter(({ progress }) => progress >= 0.5));
    const most = Math.max(...this.#samples.map(({ mb }) => mb));
    const last = this.#samples.at(-1)?.mb ?? 0;
    const numbers = `${first.toFixed(1)} MB in the first half, ${second.toFixed(1)} in the second (${(second / first).toFixed(3)}), at most ${most.toFixed(1)}, ${last.toFixed(1)} at the end`;
    const tenths = Array.from({ length: 10 }, (_, tenth) =>
      mean(this.#samples.filter(({ progress }) => Math.min(9, Math.floor(progress * 10)) === tenth)).toFixed(
        0,
      ),
    );
    report.note(`resident memory by tenths of the work, in MB: ${tenths.join(" ")}`);
    if (isWarm)
      report.claim(`resident memory is level (at most ${GROWTH})`, second <= first * GROWTH, numbers);
    else
      report.claim(`resident memory is at most ${WARMING_MB} MB more`, second - first <= WARMING_MB, numbers);
  }
}

function mean(samples: readonly { readonly mb: number }[]): number {
  return samples.reduce((sum, { mb }) => sum + mb, 0) / Math.max(1, samples.length);
}

/** Claims that the process has as many files and sockets open as before, once it has noticed who left. */
export async function judgeOpenFiles(report: Report, pid: number, before: number | undefined): Promise<void> {
  if (before === undefined) {
    report.note("open files are not known on this system");
    return;
  }
  const now = () => openFiles(pid) ?? 0;
  const until = performance.now() + PATIENCE_MS;
  while (now() > before + SPARE_FILES && performance.now() < until) await Bun.sleep(50);
  const after = now();
  report.claim("open files are as before", after <= before + SPARE_FILES, `${before} before, ${after} after`);
}
