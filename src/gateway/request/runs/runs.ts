// The agents that run under `iddio run`: their names, their bridge processes, and what each may
// reach on this machine. A run is known by its bridge (process number and start time), never by a
// client's word. The records are on disk, so that a daemon that restarts takes the same bridges in
// again.

import { randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { startTimeOf } from "../../../host/process/process-start.ts";
import { removeFolder } from "../../../host/process/remove-folder.ts";
import { sessionChainOf } from "../../../host/process/session-chain.ts";
import { bridgeTokenHash } from "../../../host/sandbox/run-token.ts";
import type { ClientIdentity } from "../../../model/entry.ts";
import type { Level } from "../../../model/level.ts";
import { UserError } from "../../../model/user-error.ts";
import { writeFileWhole } from "../../../state/files.ts";
import type { Events } from "../records/events.ts";

/** A process of a run, which its start time tells from later ones of its number. */
export interface RunProcess {
  readonly pid: number;
  /** Clock ticks since boot. */
  readonly started: number;
}

/** One run. */
export interface Run {
  /** `run_` and eight hex digits. */
  readonly id: string;
  readonly name: string;
  readonly profile: string;
  /** The command line, for people to read. */
  readonly command: string;
  /** The OS user that it runs as. */
  readonly uid: number;
  readonly startedMs: number;
  /** Ports of this machine's loopback that it may reach. */
  readonly localPorts: readonly number[];
  /** It sees the person's home directory, and with it programs and settings that the person uses. */
  readonly keepsHome?: boolean;
  /** A person was present when it was started: lists of the policy that let more through count for its name. */
  readonly isPresent?: boolean;
  readonly tokenHash: string;
  /** The process that carries its connections. */
  readonly bridge?: RunProcess;
  /** `iddio run` itself: it clears the run's folder away, unless it is killed. */
  readonly starter?: RunProcess;
}

/** The facts that a run is started with. */
export type NewRun = Pick<
  Run,
  "name" | "profile" | "command" | "uid" | "localPorts" | "keepsHome" | "isPresent" | "starter"
>;

/** Carries a run's connections while it is known; made by the front, which the registry does not know. */
export interface RunChannel {
  /** Ends every connection of the run and its bridge. */
  close(why: "stopped" | "ended" | "daemon"): void;
}

/** A bridge registers at once; a run whose bridge did not within this time has failed to start. */
const REGISTER_MS = 60_000;
/** How often it is looked whether `iddio run` has left the folder of a run that has ended. */
const LEFT_MS = 200;

/** The registry; one per daemon. */
export class Runs {
  readonly #directory: string;
  readonly #present: Set<string>;
  readonly #events: Events;
  readonly #open: (run: Run) => Promise<RunChannel>;
  /** Names of runs that are about to be in the list. */
  readonly #starting = new Set<string>();
  readonly #runs = new Map<
    string,
    { run: Run; readonly channel: RunChannel; timer?: Timer; isRegistering?: boolean }
  >();

  constructor(parts: {
    readonly directory: string;
    readonly events: Events;
    /** Holds the ids of those that were started with presence, for anyone who judges. */
    readonly present: Set<string>;
    /** Begins to listen for a run's bridge. */
    readonly open: (run: Run) => Promise<RunChannel>;
  }) {
    this.#directory = parts.directory;
    this.#events = parts.events;
    this.#present = parts.present;
    this.#open = parts.open;
  }

  /** Called before the folder of a run is removed whose `iddio run` was killed and could not see to its end. */
  onLeft: (run: Run) => Promise<void> = async () => undefined;

  /** The folder of sockets and records. */
  get directory(): string {
    return this.#directory;
  }

  /** Path of the socket on which a run's bridge is awaited. */
  socketOf(id: string): string {
    return join(this.#directory, `${id}.sock`);
  }

  /** Begins a run; its bridge has a minute to register with the token. Throws UserError when the name is taken or is none. */
  async start(input: NewRun): Promise<{ readonly run: Run; readonly token: string }> {
    if (!/^[a-z0-9][a-z0-9._-]{0,39}$/.test(input.name))
      throw new UserError(`'${input.name}' cannot name a run`, {
        hint: "use 1 to 40 of: a-z, 0-9, '.', '_', '-'; begin with a letter or digit",
        exitCode: 2,
      });
    if (this.#isTaken(input.name))
      throw new UserError(`a run named '${input.name}' exists already`, {
        hint: "give another name with --name, or see: iddio run ls",
        code: "name-taken",
      });
    const token = randomBytes(32).toString("hex");
    const id = `run_${randomBytes(4).toString("hex")}`;
    const run: Run = { ...input, id, startedMs: Date.now(), tokenHash: bridgeTokenHash(token) };
    this.#starting.add(run.name);
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o711 });
      await this.#take(run);
    } finally {
      this.#starting.delete(run.name);
    }
    return { run, token };
  }

  #isTaken(name: string): boolean {
    return this.#starting.has(name) || this.list().some((each) => each.name === name);
  }

  async #take(run: Run): Promise<void> {
    const channel = await this.#open(run);
    const timer = setTimeout(() => this.end(run.id, "ended"), REGISTER_MS).unref();
    this.#runs.set(run.id, { run, channel, timer });
    if (run.isPresent === true) this.#present.add(run.id);
    await this.#write(run);
  }

  /** Every run, oldest first. */
  list(): readonly Run[] {
    return [...this.#runs.values()].map(({ run }) => run);
  }

  /** A run by name or id. */
  find(nameOrId: string): Run | undefined {
    return this.list().find(({ id, name }) => id === nameOrId || name === nameOrId);
  }

  /**
   * Takes a process for the run's bridge: with the run's token, and only while no other lives. It is on disk before the
   * answer, so that a daemon that is killed at any moment finds it again.
   */
  async register(id: string, token: string, pid: number): Promise<boolean> {
    const known = this.#runs.get(id);
    const started = startTimeOf(pid);
    if (known === undefined || started === undefined || known.isRegistering) return false;
    const given = Buffer.from(bridgeTokenHash(token));
    if (!timingSafeEqual(given, Buffer.from(known.run.tokenHash))) return false;
    const { bridge } = known.run;
    if (bridge !== undefined && (bridge.pid !== pid || bridge.started !== started)) return false;
    clearTimeout(known.timer);
    const isFirst = bridge === undefined;
    known.isRegistering = true;
    const registered = { ...known.run, bridge: { pid, started } };
    try {
      await this.#write(registered);
    } finally {
      known.isRegistering = false;
    }
    known.run = registered;
    if (isFirst) this.#events.publish("run_started", eventFields(known.run));
    return true;
  }

  /** Whether a process is the bridge that registered for this run. */
  isBridge(id: string, pid: number): boolean {
    const bridge = this.#runs.get(id)?.run.bridge;
    return bridge !== undefined && bridge.pid === pid && startTimeOf(pid) === bridge.started;
  }

  /**
   * The run that a process belongs to: it is the bridge or one of its descendants. A process that has left
   * its parents inside a sandbox is still below the sandbox's first process, which the bridge started.
   * `unknown` while agents run and the process is gone, or cannot be followed to the system's first one.
   */
  async ofProcess(pid: number | undefined): Promise<Run | "unknown" | undefined> {
    const running = this.list().filter(({ bridge }) => bridge !== undefined);
    if (running.length === 0) return undefined;
    if (pid === undefined) return "unknown";
    const { members, isWhole } = await sessionChainOf(pid);
    const chain = new Set(members.map((each) => each.pid));
    const found = running.find(
      ({ id, bridge }) => bridge && chain.has(bridge.pid) && this.isBridge(id, bridge.pid),
    );
    return found ?? (isWhole ? undefined : "unknown");
  }

  /** This name, or with the first number behind it that no run has. */
  freeName(wanted: string): string {
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? wanted : `${wanted}-${number}`;
      if (!this.#isTaken(name)) return name;
    }
  }

  /** The level at which the sender of a request is kept from deciding for itself; undefined outside of every run. */
  levelOf(client: ClientIdentity | undefined): Level | undefined {
    const run = client?.run_id === undefined ? undefined : this.#runs.get(client.run_id)?.run;
    return run === undefined ? undefined : runLevel(run);
  }

  /** Forgets a run and closes its channel, which ends its network and then its processes. */
  end(id: string, why: "stopped" | "ended"): void {
    const known = this.#runs.get(id);
    if (known === undefined) return;
    this.#runs.delete(id);
    this.#present.delete(id);
    clearTimeout(known.timer);
    known.channel.close(why);
    this.#events.publish("run_ended", { ...eventFields(known.run), reason: why });
    void this.#clear(known.run);
  }

  /** Removes everything of a run that has ended, as soon as its `iddio run` has gone or has done so itself. */
  async #clear(run: Run): Promise<void> {
    const { id, starter, uid } = run;
    const folder = join(this.#directory, id);
    const ended = join(this.#directory, `${id}.ended`);
    // Another user's daemon has no business there: what an agent left could lead it astray.
    const isOurs = uid === process.getuid?.();
    if (isOurs && existsSync(folder)) {
      await rename(this.#recordOf(id), ended).catch(() => undefined);
      if (starter !== undefined && startTimeOf(starter.pid) === starter.started)
        return void setTimeout(() => void this.#clear(run), LEFT_MS).unref();
      await this.onLeft(run).catch(() => undefined);
      await removeFolder(folder);
    }
    for (const path of [this.#recordOf(id), ended, this.socketOf(id)])
      await rm(path, { force: true }).catch(() => undefined);
  }

  /** Takes in again the runs of an earlier daemon whose bridges still live. */
  async restore(): Promise<void> {
    const names = await readdir(this.#directory).catch(() => [] as string[]);
    for (const name of names.filter((each) => /\.(?:json|ended)$/.test(each))) {
      const path = join(this.#directory, name);
      const run = await readFile(path, "utf8")
        .then((text) => JSON.parse(text) as Run)
        .catch(() => undefined);
      const { bridge } = run ?? {};
      if (run === undefined) await rm(path, { force: true });
      else if (name.endsWith(".json") && bridge && startTimeOf(bridge.pid) === bridge.started)
        await this.#take(run);
      else void this.#clear(run);
    }
    for (const name of names) {
      const id = /^run_[0-9a-f]{8}(?=$|\.sock$)/.exec(name)?.[0];
      const isKnown = id !== undefined && [".json", ".ended"].some((end) => names.includes(id + end));
      // Of runs that nobody remembers.
      if (id !== undefined && !isKnown) void removeFolder(join(this.#directory, name));
    }
  }

  /** The daemon stops: runs lose their network until another one takes them in. */
  close(): void {
    for (const { channel, timer } of this.#runs.values()) {
      clearTimeout(timer);
      channel.close("daemon");
    }
    this.#runs.clear();
  }

  #recordOf(id: string): string {
    return join(this.#directory, `${id}.json`);
  }

  async #write(run: Run): Promise<void> {
    // No run outlives the machine that it runs on.
    await writeFileWhole(this.#recordOf(run.id), JSON.stringify(run));
    // It may have ended meanwhile.
    if (!this.#runs.has(run.id)) await rm(this.#recordOf(run.id), { force: true });
  }
}

/** A run is kept from the socket, the state and the network; one that sees the home directory is not promised more than L1. */
export function runLevel({ keepsHome }: Run): Level {
  return keepsHome === true ? "L1" : "L2";
}

function eventFields({ id, name, profile, command, bridge }: Run): Record<string, unknown> {
  return { run_id: id, run: name, profile, command, ...(bridge === undefined ? {} : { pid: bridge.pid }) };
}
