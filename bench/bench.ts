// The inputs of every section of the bench.

import type { OriginPorts } from "./origin-process.ts";
import type { Report } from "./report.ts";
import type { Worker } from "./worker.ts";

/** A run of the bench. */
export interface Bench {
  readonly rounds: number;
  /** How long one measurement of one round takes. */
  readonly roundMs: number;
  readonly isQuick: boolean;
  /** Requests over which memory must not grow. */
  readonly memoryRequests: number;
  readonly origin: OriginPorts;
  readonly originWorker: Worker;
  readonly load: Worker;
  readonly report: Report;
  /** Another build of iddio that is measured beside this one. */
  readonly beside: string | undefined;
}

/** A part of the bench that can be run by itself. */
export interface Section {
  readonly name: string;
  readonly summary: string;
  run(bench: Bench): Promise<void>;
}
