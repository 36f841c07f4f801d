// The script that stands for a person: watches what waits and decides it through the control
// socket, as the request's kind wants it. Some it leaves alone, because their clients go away
// first.

import type { Approval } from "../../../src/api/reports.ts";
import type { GatewayProcess } from "../../support/gateway.ts";
import { Chance } from "../chance.ts";
import { kindOf, numberIn } from "../kinds.ts";
import { type Ledger, SEEN } from "../ledger.ts";

const LOOK_MS = 20;

/** Decides until it is stopped. */
export class Approver {
  /** Answers that the gateway took. */
  decided = 0;
  /** Answers that came too late: the client had left. */
  tooLate = 0;
  readonly problems: string[] = [];
  readonly #gateway: GatewayProcess;
  readonly #ledger: Ledger;
  readonly #chance: Chance;
  readonly #asked = new Set<string>();
  readonly #stopped = Promise.withResolvers<void>();
  #isStopping = false;

  constructor(gateway: GatewayProcess, ledger: Ledger, seed: number) {
    this.#gateway = gateway;
    this.#ledger = ledger;
    this.#chance = new Chance(seed);
    void this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#stopped.promise;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      try {
        const { approvals } = await this.#gateway.control.call("approvals_list", {});
        if (approvals.length === 0) this.#asked.clear();
        await Promise.all(approvals.map((approval) => this.#decide(approval)));
      } catch (error) {
        this.problems.push(error instanceof Error ? error.message : String(error));
      }
      await Bun.sleep(LOOK_MS);
    }
    this.#stopped.resolve();
  }

  async #decide({ id, path }: Approval): Promise<void> {
    const number = numberIn(path) ?? 0;
    const kind = kindOf(this.#ledger.kinds[number]);
    if (kind === undefined) return void this.problems.push(`an approval for '${path}', which nobody sent`);
    if (kind.ends === "withdrawn") {
      // Its client waits for this before it leaves.
      if (this.#ledger.seen[number] === SEEN.nothing) this.#ledger.seen[number] = SEEN.held;
      return;
    }
    if (this.#asked.has(id)) return;
    this.#asked.add(id);
    const isAllowed = kind.ends === "approved" || (kind.ends === "undecided" && this.#chance.happens(0.5));
    try {
      if (isAllowed) await this.#gateway.control.call("approvals_allow", { id });
      else await this.#gateway.control.call("approvals_deny", { id, reason: "the soak says no" });
      this.decided += 1;
    } catch (error) {
      if (kind.ends === "undecided" || this.#ledger.seen[number] === SEEN.left) this.tooLate += 1;
      else this.problems.push(`${kind.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
