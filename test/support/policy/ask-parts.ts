// The parts of a gateway that judge, hold and record asks, on real files and without sockets: for
// tests of what lies between a carrier and a person.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Broker } from "../../../src/gateway/request/broker.ts";
import { CommandGrants } from "../../../src/gateway/request/command-grants.ts";
import { ModeHolder } from "../../../src/gateway/request/mode.ts";
import { Events } from "../../../src/gateway/request/records/events.ts";
import { Recorder } from "../../../src/gateway/request/records/recorder.ts";
import type { AskParts } from "../../../src/gateway/request/stages/stage.ts";
import type { Entry } from "../../../src/model/entry.ts";
import type { Mode } from "../../../src/model/mode.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { Journal } from "../../../src/state/journal/journal.ts";
import { Log } from "../../../src/state/log/log.ts";
import { Grants } from "../../../src/state/tables/grants.ts";
import { temporaryDirectory } from "../temporary-directory.ts";

/** The parts, and what a test looks at. */
export interface TestParts extends AsyncDisposable {
  readonly parts: AskParts;
  readonly events: Events;
  readonly mode: ModeHolder;
  /** Puts another policy in force. */
  use(policy: string): void;
  /** No further row can be written. */
  breakAudit(): Promise<void>;
  /** Rows of a journal so far, what waits included. */
  rows(name?: "audit" | "observe"): Promise<readonly Entry[]>;
}

/** Reads a policy that must be valid. */
export function policyOf(text: string): Policy {
  const parsed = parsePolicy(text);
  if (!("policy" in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.policy;
}

/** Makes them. */
export async function askParts(
  policy: string,
  mode: Mode = "enforce",
  timeoutMs = 60_000,
): Promise<TestParts> {
  await using own = new AsyncDisposableStack();
  const { path } = own.use(await temporaryDirectory());
  const database = openDatabase(join(path, "state.db"));
  own.defer(() => database.close());
  const log = new Log(join(path, "iddio.log"), {});
  own.defer(() => log.close());
  const audit = await Journal.open(join(path, "audit.jsonl"));
  own.defer(() => audit.close());
  const observe = await Journal.open(join(path, "observe.jsonl"), { durable: false });
  own.defer(() => observe.close());
  const events = new Events();
  const holder = new ModeHolder(mode);
  const recorder = new Recorder({ audit, observe, mode: holder, events, log, present: new Set() });
  own.defer(() => recorder.close());
  const broker = new Broker({ events, timeoutMs: () => timeoutMs });
  own.defer(() => broker.close());
  const inspection = { policy: policyOf(policy) };
  const parts = {
    mode: holder,
    inspection,
    settings: { current: { audit_failure: "closed", classify_body_limit: 1024 } },
    presentRuns: new Set<string>(),
    grants: new Grants(database),
    commandGrants: new CommandGrants(),
    broker,
    recorder,
    log,
  } as unknown as AskParts;
  const stack = own.move();
  return {
    parts,
    events,
    mode: holder,
    use(text) {
      inspection.policy = policyOf(text);
    },
    breakAudit: () => audit.close(),
    async rows(name = "audit") {
      recorder.close();
      await (name === "audit" ? audit : observe).close();
      const text = await readFile(join(path, `${name}.jsonl`), "utf8").catch(() => "");
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Entry);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
