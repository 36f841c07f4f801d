// The upstream as the soak holds it: a process with ports that stay its own, killed and started
// again at will.

import { join } from "node:path";
import { startWorker, type Worker } from "../../../bench/worker.ts";
import { createAuthority } from "../../support/cluster/authority.ts";
import type { LedgerPlace } from "../ledger.ts";
import type { OriginOrder, OriginPorts } from "./process.ts";

const FILE = join(import.meta.dir, "process.ts");

/** A time in which the upstream was away; milliseconds since 1970. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

/** The upstream, and what became of it so far. */
export class Origin implements AsyncDisposable {
  readonly caPem: string;
  readonly ports: OriginPorts;
  readonly outages: Outage[] = [];
  readonly #order: OriginOrder;
  #worker: Worker;

  private constructor(caPem: string, order: OriginOrder, worker: Worker) {
    this.caPem = caPem;
    this.ports = order.ports;
    this.#order = order;
    this.#worker = worker;
  }

  static async start(ledger: LedgerPlace): Promise<Origin> {
    const authority = createAuthority("soak origin");
    const certificate = authority.serverCertificate(["localhost", "127.0.0.1"]);
    const order = { ...certificate, ledger, ports: { http1: 0, http2: 0, echo: 0 } };
    const worker = startWorker(FILE);
    const ports = await worker.call<OriginPorts>("listen", order);
    return new Origin(authority.caPem, { ...order, ports }, worker);
  }

  get pid(): number {
    return this.#worker.pid;
  }

  /** Ends the process with SIGKILL and starts the next one, which listens on the same ports. */
  async killAndRestart(): Promise<void> {
    const from = Date.now();
    await this.kill();
    await this.restart();
    this.outages.push({ from, to: Date.now() });
  }

  /** SIGKILL; nothing listens afterwards. */
  async kill(): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
  }

  async restart(): Promise<void> {
    this.#worker = startWorker(FILE);
    await this.#worker.call("listen", this.#order);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
