// "Allow the rest of this command": covers the further asks of one process after a person allowed
// one of them. Only that process, told from a later one with its number by its start; only the same
// scope, host and credential, at most the same tier; for a minute; in memory. Never break-glass,
// never asks that cannot be classified or do not name their scope.

import { sessionChainOf } from "../../host/process/session-chain.ts";
import type { Ask } from "../../model/ask.ts";
import { TIERS, type TierOrUnknown } from "../../model/tier.ts";
import { UserError } from "../../model/user-error.ts";
import type { PendingApproval } from "./broker.ts";
import { grantSubject, scopeProblem } from "./grant-subject.ts";

/** One command that may go on. */
export interface CommandGrant {
  readonly approvalId: string;
  /** Whether an ask is of this command. */
  covers(ask: Ask): boolean;
}

interface Kept extends CommandGrant {
  readonly pid: number;
  readonly started: string;
  readonly key: string;
  readonly tier: TierOrUnknown;
  readonly untilMs: number;
}

const LIFE_MS = 60_000;
const GRANTS_MAX = 256;
/** How long a request waits for the system to tell its process, while a grant that fits otherwise is there. */
const LOOK_MS = 10;
const LOOKS = 100;

/** Tells when a process was started; undefined when it is gone. */
type StartOf = (pid: number) => Promise<string | undefined>;

/** The commands of one daemon. */
export class CommandGrants {
  #kept: Kept[] = [];
  readonly #steadyMs: () => number;
  readonly #startOf: StartOf;

  /** The clock must not go back. */
  constructor(steadyMs = () => performance.now(), startOf: StartOf = startOfProcess) {
    this.#steadyMs = steadyMs;
    this.#startOf = startOf;
  }

  /** Why the rest of its command cannot go with this ask, in a clause. */
  problemOf(ask: Ask): string | undefined {
    if (ask.carrier !== "http") return "it is asked about by itself";
    const problem = scopeProblem(ask);
    if (problem !== undefined) return problem;
    return ask.subject.client?.pid === undefined
      ? "the system does not tell which process sent it"
      : undefined;
  }

  /** Lets the rest of a request's command through. Throws a UserError when its process has ended. */
  async add({ id, ask }: PendingApproval): Promise<CommandGrant> {
    const pid = ask.subject.client?.pid ?? 0;
    const started = await this.#startOf(pid);
    if (started === undefined)
      throw new UserError("its process has ended", { hint: `iddio approval allow ${id}` });
    const key = keyOf(ask);
    const { tier } = ask.operation;
    const grant: Kept = {
      approvalId: id,
      pid,
      started,
      key,
      tier,
      untilMs: this.#steadyMs() + LIFE_MS,
      covers: (other) =>
        this.problemOf(other) === undefined &&
        other.subject.client?.pid === pid &&
        keyOf(other) === key &&
        isAtMost(other.operation.tier, tier),
    };
    this.#kept = [...this.#alive(), grant].slice(-GRANTS_MAX);
    return grant;
  }

  /** The grant that covers an ask, by its operation and by its process, for which it waits a moment. */
  async find(ask: Ask): Promise<CommandGrant | undefined> {
    const { client } = ask.subject;
    if (this.#kept.length === 0 || client === undefined || scopeProblem(ask) !== undefined) return undefined;
    const key = keyOf(ask);
    const fits = this.#alive().filter((each) => each.key === key && isAtMost(ask.operation.tier, each.tier));
    if (fits.length === 0) return undefined;
    for (let look = 0; client.pid === undefined && look < LOOKS; look += 1) await Bun.sleep(LOOK_MS);
    const found = fits.find((each) => each.covers(ask));
    if (found === undefined) return undefined;
    const started = await this.#startOf(found.pid);
    return started === found.started && this.#alive().includes(found) ? found : undefined;
  }

  #alive(): Kept[] {
    const now = this.#steadyMs();
    return this.#kept.filter(({ untilMs }) => untilMs > now);
  }
}

/** The same for asks of one scope: carrier, protocol, host, labels and credential, whatever the command. */
function keyOf(ask: Ask): string {
  const { carrier, protocol, host, port, labels, credential } = grantSubject(ask);
  const scope = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([carrier, protocol, host, port, scope, credential]);
}

function isAtMost(tier: TierOrUnknown, most: TierOrUnknown): boolean {
  if (tier === "unknown" || most === "unknown" || tier === "break-glass") return false;
  return TIERS.indexOf(tier) <= TIERS.indexOf(most);
}

async function startOfProcess(pid: number): Promise<string | undefined> {
  return (await sessionChainOf(pid)).members[0]?.started;
}
