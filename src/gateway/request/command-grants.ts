// "Allow the rest of this command": covers the further asks of one process after a person allowed
// one of them. Only that process, told from a later one with its number by its start; only the same
// scope, host and credential, at most the same tier; for a minute; in memory. Never break-glass,
// never asks that cannot be classified or do not name their scope. An ask that tells its one next
// step is allowed with exactly that step, and with nothing else.

import { startTimeOf } from "../../host/process/process-start.ts";
import type { Ask } from "../../model/ask.ts";
import type { Classification } from "../../model/classification.ts";
import type { ClientIdentity } from "../../model/entry.ts";
import { TIERS, type TierOrUnknown } from "../../model/tier.ts";
import { UserError } from "../../model/user-error.ts";
import type { PendingApproval } from "./broker.ts";
import { startOfClient } from "./client-owner.ts";
import { grantSubject, scopeProblem } from "./grant-subject.ts";

/** One command that may go on. */
export interface CommandGrant {
  readonly approvalId: string;
  /** Whether an ask is of this command. */
  covers(ask: Ask): boolean;
}

interface Kept extends CommandGrant {
  readonly pid: number;
  readonly started: number;
  readonly key: string;
  readonly operation: Classification;
  readonly untilMs: number;
}

const LIFE_MS = 60_000;
const GRANTS_MAX = 256;
/** How long a request waits for the system to tell its process, while a grant that fits otherwise is there. */
const LOOK_MS = 10;
const LOOKS = 100;

/** The starts of processes, as the system tells them. */
export interface Starts {
  /** When the process with this number was started; undefined when it is gone. */
  now(pid: number): number | undefined;
  /** When the process that opened an ask's connection was started. */
  ofClient(client: ClientIdentity): number | undefined;
}

const SYSTEM: Starts = { now: startTimeOf, ofClient: startOfClient };

/** The commands of one daemon. */
export class CommandGrants {
  #kept: Kept[] = [];
  readonly #steadyMs: () => number;
  readonly #starts: Starts;

  /** The clock must not go back. */
  constructor(steadyMs = () => performance.now(), starts = SYSTEM) {
    this.#steadyMs = steadyMs;
    this.#starts = starts;
  }

  /** Why the rest of its command cannot go with this ask, in a clause. */
  problemOf(ask: Ask): string | undefined {
    if (ask.carrier !== "http") return "it is asked about by itself";
    return (ask.operation.next === undefined ? scopeProblem(ask) : undefined) ?? this.#processProblem(ask);
  }

  #processProblem({ subject: { client } }: Ask): string | undefined {
    return client?.pid === undefined || this.#starts.ofClient(client) === undefined
      ? "the system does not tell which process sent it"
      : undefined;
  }

  /** Lets the rest of a request's command through. Throws a UserError when its process has ended. */
  add({ id, ask }: PendingApproval): CommandGrant {
    const { client } = ask.subject;
    const pid = client?.pid ?? 0;
    const started = client === undefined ? undefined : this.#starts.ofClient(client);
    if (started === undefined || this.#starts.now(pid) !== started)
      throw new UserError("its process has ended", { hint: `iddio approval allow ${id}` });
    const key = keyOf(ask);
    const grant: Kept = {
      approvalId: id,
      pid,
      started,
      key,
      operation: ask.operation,
      untilMs: this.#steadyMs() + LIFE_MS,
      covers: (other) =>
        this.#processProblem(other) === undefined &&
        other.subject.client?.pid === pid &&
        this.#starts.ofClient(other.subject.client) === started &&
        keyOf(other) === key &&
        isOfRest(other, ask.operation),
    };
    this.#kept = [...this.#alive(), grant].slice(-GRANTS_MAX);
    return grant;
  }

  /** The grant that covers an ask, by its operation and by its process, for which it waits a moment. */
  async find(ask: Ask): Promise<CommandGrant | undefined> {
    const { client } = ask.subject;
    if (this.#kept.length === 0 || client === undefined) return undefined;
    const key = keyOf(ask);
    const fits = this.#alive().filter((each) => each.key === key && isOfRest(ask, each.operation));
    if (fits.length === 0) return undefined;
    for (let look = 0; client.pid === undefined && look < LOOKS; look += 1) await Bun.sleep(LOOK_MS);
    // Time has passed: the grant may be over, its process may have ended, its number may be another's.
    const found = this.#alive().find((each) => fits.includes(each) && each.covers(ask));
    return found !== undefined && this.#starts.now(found.pid) === found.started ? found : undefined;
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

/** Whether an ask may go with an allowed operation of the same scope: as its next step, or because it risks no more. */
function isOfRest(ask: Ask, { next, tier, circumstance }: Classification): boolean {
  const { operation } = ask;
  if (next === undefined) return scopeProblem(ask) === undefined && isAtMost(operation.tier, tier);
  return (
    operation.step !== undefined &&
    next.steps.includes(operation.step) &&
    operation.tier === tier &&
    operation.circumstance === circumstance
  );
}

function isAtMost(tier: TierOrUnknown, most: TierOrUnknown): boolean {
  if (tier === "unknown" || most === "unknown" || tier === "break-glass") return false;
  return TIERS.indexOf(tier) <= TIERS.indexOf(most);
}
