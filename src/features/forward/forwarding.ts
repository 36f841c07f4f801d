// Every receiver of audit rows that this daemon has: starts and ends their deliveries, and answers
// for them. Owns the configuration of receivers; secrets go in and are never shown again, except
// the one that is made here and shown once.

import { hostname } from "node:os";
import { join } from "node:path";
import type { ForwardReport, ForwardStart } from "../../api/methods/forward.ts";
import type { Events } from "../../gateway/request/records/events.ts";
import { newWebhookSecret } from "../../host/outgoing/standard-webhook.ts";
import { UserError } from "../../model/user-error.ts";
import { endOfJournal, type JournalPlace, startOfJournal } from "../../state/journal/batch.ts";
import type { Log } from "../../state/log/log.ts";
import type { StatePaths } from "../../state/paths.ts";
import type { Sinks, StoredSink } from "../../state/tables/sinks.ts";
import { ForwardDelivery } from "./delivery.ts";
import { putAsideFile } from "./put-aside-file.ts";
import { journalSource } from "./row-source.ts";
import type { SinkConfig } from "./sink.ts";
import { checkedSink, testRow } from "./sink-config.ts";
import { openSink, type Surroundings } from "./sink-kinds.ts";

/** The parts that forwarding works with. */
export interface ForwardingOptions {
  readonly sinks: Sinks;
  readonly paths: StatePaths;
  readonly events: Events;
  readonly log: Log;
  readonly version: string;
  readonly proxyFor: (url: string) => string;
}

const MAX_SINKS = 20;
const MAX_SECRETS = 2;
const TEST_MS = 30_000;

/** The deliveries of a daemon, one for each receiver. */
export class Forwarding implements AsyncDisposable {
  readonly #options: ForwardingOptions;
  readonly #around: Surroundings;
  readonly #running = new Map<string, ForwardDelivery<JournalPlace>>();

  constructor(options: ForwardingOptions) {
    this.#options = options;
    this.#around = {
      sender: { hostname: hostname(), version: options.version },
      proxyFor: options.proxyFor,
    };
    for (const stored of options.sinks.list()) this.#start(stored);
  }

  /** How each of them goes. */
  list(): Promise<readonly ForwardReport[]> {
    return Promise.all(this.#options.sinks.list().map((stored) => this.#report(stored)));
  }

  /** Adds a receiver. The secret of a webhook is told here and never again. */
  async add(start: ForwardStart): Promise<{ readonly sink: ForwardReport; readonly secret?: string }> {
    const { sinks, paths } = this.#options;
    const config = checkedSink(start);
    if (sinks.list().length >= MAX_SINKS)
      throw new UserError(`there are ${MAX_SINKS} receivers already`, {
        hint: "remove one: iddio forward list",
      });
    if (sinks.list().some(({ name }) => name === config.name))
      throw new UserError(`there is a receiver '${config.name}' already`, {
        hint: `iddio forward remove ${config.name}, or choose another name`,
      });
    if (start.target.startsWith("file:") && start.target.includes(paths.root))
      throw new UserError("rows are not forwarded into the state directory", { exitCode: 2 });
    const place =
      start.from === "start" ? await startOfJournal(paths.audit) : await endOfJournal(paths.audit);
    sinks.add(config.name, JSON.stringify(config), Date.now(), place);
    const stored = this.#stored(config.name);
    this.#start(stored);
    const made = start.secret === undefined ? config.secrets[0] : undefined;
    return { sink: await this.#report(stored), ...(made === undefined ? {} : { secret: made }) };
  }

  /** Gives a webhook a new secret beside the old one, which goes with the next rotation. */
  async rotate(name: string): Promise<{ readonly sink: ForwardReport; readonly secret: string }> {
    const stored = this.#stored(name);
    const config = configOf(stored);
    if (config.secrets.length === 0)
      throw new UserError(`'${name}' has no secret: only webhooks are signed`, {
        hint: "see: iddio forward list",
      });
    const secret = newWebhookSecret();
    const secrets = [secret, ...config.secrets].slice(0, MAX_SECRETS);
    this.#options.sinks.change(name, JSON.stringify({ ...config, secrets }));
    await this.#restart(name);
    return { sink: await this.#report(this.#stored(name)), secret };
  }

  /** Sends one row that says it is a test; returns the problem. */
  async test(name: string): Promise<{ readonly problem?: string }> {
    const config = configOf(this.#stored(name));
    await using sink = openSink(config, this.#around);
    const delivery = await sink.deliver([testRow()], AbortSignal.timeout(TEST_MS));
    this.#running.get(name)?.hurry();
    return delivery.kind === "delivered" ? {} : { problem: delivery.reason };
  }

  /** Ends and forgets a receiver; rows that it lacks are not sent. */
  async remove(name: string): Promise<ForwardReport> {
    const report = await this.#report(this.#stored(name));
    await this.#running.get(name)?.[Symbol.asyncDispose]();
    this.#running.delete(name);
    this.#options.sinks.remove(name);
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.values()].map((each) => each[Symbol.asyncDispose]()));
    this.#running.clear();
  }

  #start(stored: StoredSink): void {
    const { sinks, paths, events, log } = this.#options;
    const { name } = stored;
    const config = configOf(stored);
    this.#running.set(
      name,
      new ForwardDelivery({
        name,
        source: journalSource(paths.audit),
        putAside: putAsideFile(join(paths.root, "forward", `${name}.refused.jsonl`)),
        open: () => openSink(config, this.#around),
        progress: stored.progress,
        save: (progress) => sinks.advance(name, progress),
        log,
        onTurn: (problem) =>
          events.publish(problem === undefined ? "forward_resumed" : "forward_failed", {
            sink: name,
            ...(problem === undefined ? {} : { reason: problem }),
          }),
      }),
    );
  }

  async #restart(name: string): Promise<void> {
    await this.#running.get(name)?.[Symbol.asyncDispose]();
    this.#start(this.#stored(name));
  }

  #stored(name: string): StoredSink {
    const stored = this.#options.sinks.list().find((each) => each.name === name);
    if (stored !== undefined) return stored;
    throw new UserError(`there is no receiver '${name}'`, {
      code: "not-found",
      hint: "see: iddio forward list",
    });
  }

  async #report(stored: StoredSink): Promise<ForwardReport> {
    const running = this.#running.get(stored.name);
    const state = running?.state;
    const { target, format } = configOf(stored);
    return {
      name: stored.name,
      target,
      format,
      added_ms: stored.addedMs,
      delivered_rows: state?.deliveredRows ?? stored.progress.deliveredRows,
      refused_rows: state?.putAsideRows ?? stored.progress.putAsideRows,
      behind_bytes: (await running?.behind()) ?? 0,
      ...(state?.lastDeliveredMs === undefined ? {} : { last_delivered_ms: state.lastDeliveredMs }),
      ...(state?.problem === undefined ? {} : { problem: state.problem }),
      ...(state?.failingSinceMs === undefined ? {} : { failing_since_ms: state.failingSinceMs }),
    };
  }
}

function configOf({ json }: StoredSink): SinkConfig {
  return JSON.parse(json) as SinkConfig;
}
