// The daemon's update of itself: carries out what the state machine (model/update-state.ts) allows,
// one thing at a time, and tells listeners of each step. Applying is done while this daemon lets go
// of everything: the new program is tried on the real state and replaces the old one only if it
// came up; either way the supervisor starts the program that is there.

import { realpathSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { UpdateReport } from "../../api/daemon-reports.ts";
import type { Events } from "../../gateway/request/records/events.ts";
import {
  downloadRelease,
  fetchRelease,
  githubFeed,
  isNewer,
  type Release,
} from "../../host/release/release.ts";
import { placeProgram } from "../../host/service/daemon-binary.ts";
import { readInstallMode, wantsService } from "../../host/service/install-mode.ts";
import { keepDatabase } from "../../host/service/swap-daemon.ts";
import {
  isBusy,
  isFreshCheck,
  nextUpdateState,
  type UpdateState,
  type UpdateStep,
} from "../../model/update-state.ts";
import { UserError } from "../../model/user-error.ts";
import { acquireUpdateLock } from "../../state/lock.ts";
import type { Log } from "../../state/log/log.ts";
import type { StatePaths } from "../../state/paths.ts";
import type { SettingsStore } from "../../state/settings/settings-store.ts";
import type { StoredUpdate, UpdateRecord } from "../../state/tables/stored-update.ts";
import { parseDuration } from "../../text/duration.ts";
import { RELEASE_PUBLIC_KEY, REPOSITORY } from "../../version.ts";
import { tryDaemon } from "./try-daemon.ts";

/** The parts that the updater works with. */
export interface UpdaterOptions {
  readonly paths: StatePaths;
  readonly settings: SettingsStore;
  readonly record: UpdateRecord;
  readonly events: Events;
  readonly log: Log;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends this daemon, and does this when it holds nothing any more. */
  readonly stopThen: (work: () => Promise<void>) => void;
}

const FIRST_CHECK_MS = 10 * 60_000;
const DAY_MS = 86_400_000;
const RETRY_MS = 15 * 60_000;

/** Finds, downloads and applies releases for one daemon. */
export class Updater {
  readonly #options: UpdaterOptions;
  #stored: StoredUpdate;
  #release: Release | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #nextCheckMs: number | undefined;
  readonly #stopped = new AbortController();

  constructor(options: UpdaterOptions) {
    this.#options = options;
    this.#stored = options.record.read();
    this.#step({ kind: "started", version: options.version });
    this.#schedule(FIRST_CHECK_MS);
  }

  /** Where it is now. */
  get report(): UpdateReport {
    const { state, lastCheckMs } = this.#stored;
    const isDue = this.#options.settings.current.update_mode !== "off" && this.#nextCheckMs !== undefined;
    return {
      state: state.kind,
      current_version: this.#options.version,
      ...("version" in state && state.version !== undefined ? { version: state.version } : {}),
      ...(state.kind === "downloading" ? { received_bytes: state.received, total_bytes: state.total } : {}),
      ...(state.kind === "failed" ? { problem: state.problem } : {}),
      feed: this.#feed,
      ...(lastCheckMs === undefined ? {} : { last_check_ms: lastCheckMs }),
      ...(isDue ? { next_check_ms: Math.round(this.#nextCheckMs ?? 0) } : {}),
    };
  }

  /** Looks for a release. Throws a `UserError` when something else is under way, or the feed cannot be read. */
  async check(isForced: boolean): Promise<UpdateReport> {
    const isFresh =
      isFreshCheck(this.#stored.lastCheckMs, Date.now()) && this.#stored.state.kind !== "failed";
    if (!isForced && isFresh) return this.report;
    this.#must({ kind: "check" });
    try {
      const etag = this.#release === undefined ? undefined : this.#stored.etag;
      const isSameFeed = this.#stored.feed === this.#feed;
      const answer = await fetchRelease(
        this.#feed,
        isForced || !isSameFeed ? undefined : etag,
        this.#transfer,
      );
      if (answer.kind === "release") {
        this.#release = answer.release;
        this.#stored = { ...this.#stored, feed: this.#feed };
        if (answer.etag !== undefined) this.#stored = { ...this.#stored, etag: answer.etag };
      }
      this.#stored = { ...this.#stored, lastCheckMs: Date.now(), failures: 0 };
      const version = this.#release?.version ?? "";
      this.#step(isNewer(version, this.#options.version) ? { kind: "found", version } : { kind: "current" });
    } catch (error) {
      this.#stored = { ...this.#stored, failures: this.#stored.failures + 1 };
      throw this.#fail(error);
    } finally {
      this.#scheduleNext();
    }
    return this.report;
  }

  /** Downloads the available release, if that is still to be done, and applies it. Resolves when that has begun. */
  async apply(): Promise<UpdateReport> {
    await this.#refuseUnsupervised();
    if (isBusy(this.#stored.state)) throw busy(this.#stored.state);
    if (this.#stored.state.kind !== "staged") {
      if (this.#stored.state.kind !== "available" || this.#release === undefined) await this.check(true);
      if (this.#stored.state.kind !== "available")
        throw new UserError(`there is nothing to apply: ${this.#options.version} is the latest`);
    }
    const lock = acquireUpdateLock(this.#options.paths);
    void this.#applyLocked(lock).catch((error: unknown) => {
      this.#fail(error);
      lock[Symbol.dispose]();
    });
    return this.report;
  }

  /** Ends a running step; a download leaves nothing behind. */
  close(): void {
    clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  async #applyLocked(lock: Disposable): Promise<void> {
    if (this.#stored.state.kind !== "staged") await this.#download();
    const { log } = this.#options;
    this.#must({ kind: "apply" });
    const { state } = this.#stored;
    if (state.kind !== "applying") return;
    log.info("applying an update", { version: state.version });
    this.#options.stopThen(async () => {
      using _lock = lock;
      const problem = await this.#tryAndSwap(state.version).catch(String);
      if (problem === undefined) return;
      log.error("the update was taken back", { version: state.version, problem });
      await log.flush();
    });
  }

  /**
   * Returns the reason of a failure; then everything is as before. This daemon has released its port and
   * files when this runs.
   */
  async #tryAndSwap(version: string): Promise<string | undefined> {
    const { paths, env } = this.#options;
    const database = await keepDatabase(paths);
    try {
      const problem = await tryDaemon(this.#staged, version, paths, env);
      if (problem === undefined) await placeProgram(this.#staged, paths.daemonBinary);
      await (problem === undefined ? database.settle() : database.restore());
      return problem;
    } catch (error) {
      await database.restore();
      throw error;
    } finally {
      await rm(this.#folder, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  async #download(): Promise<void> {
    this.#must({ kind: "download" });
    const release = this.#release;
    if (release === undefined)
      throw new UserError("the release is not known any more", { hint: "iddio update check" });
    const program = await downloadRelease(release, {
      ...this.#transfer,
      folder: this.#folder,
      publicKey: RELEASE_PUBLIC_KEY,
      env: this.#options.env,
      onProgress: (received, total) => this.#progress(received, total),
    });
    if (program !== this.#staged) await rename(program, this.#staged);
    this.#must({ kind: "downloaded" });
  }

  /** Not written to disk: it would be once a packet. */
  #progress(received: number, total: number): void {
    const next = nextUpdateState(this.#stored.state, { kind: "progress", received, total });
    if (next !== undefined) this.#stored = { ...this.#stored, state: next };
  }

  async #refuseUnsupervised(): Promise<void> {
    const { paths } = this.#options;
    const isOwn = realpathSync(process.execPath) === realpathOf(paths.daemonBinary);
    if (isOwn && (await readInstallMode(paths)) !== undefined && (await wantsService(paths))) return;
    throw new UserError("this daemon is not run as a service, so nothing would start it again", {
      hint: "stop it, then: iddio upgrade",
    });
  }

  #must(step: UpdateStep): void {
    if (!this.#step(step)) throw busy(this.#stored.state);
  }

  #step(step: UpdateStep): boolean {
    const next = nextUpdateState(this.#stored.state, step);
    if (next === undefined) return false;
    const isChanged = next.kind !== this.#stored.state.kind;
    this.#stored = { ...this.#stored, state: next };
    this.#options.record.write(this.#stored);
    if (isChanged) this.#options.events.publish("update_changed", { ...this.report });
    return true;
  }

  #fail(error: unknown): Error {
    const problem = error instanceof Error ? error.message : String(error);
    this.#step({ kind: "fail", problem });
    if (!this.#stopped.signal.aborted) this.#options.log.warn("update failed", { problem });
    return error instanceof Error ? error : new Error(problem);
  }

  /** After a failure later and later, up to the usual interval. */
  #scheduleNext(): void {
    const usual = parseDuration(this.#options.settings.current.update_interval) ?? DAY_MS;
    const { failures } = this.#stored;
    this.#schedule(failures === 0 ? usual : Math.min(usual, RETRY_MS * 2 ** Math.min(failures - 1, 10)));
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    // Not all at the same minute of the day.
    const delay = Math.min(delayMs * (0.9 + Math.random() * 0.2), 2 ** 31 - 1);
    this.#nextCheckMs = Date.now() + delay;
    this.#timer = setTimeout(() => void this.#byItself(), delay);
    this.#timer.unref();
  }

  async #byItself(): Promise<void> {
    const { update_mode: mode } = this.#options.settings.current;
    if (mode === "off" || isBusy(this.#stored.state)) return this.#scheduleNext();
    try {
      if (this.#stored.state.kind !== "staged") await this.check(false);
      if (mode === "stage" && this.#stored.state.kind === "available") {
        using _lock = acquireUpdateLock(this.#options.paths);
        await this.#download();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  get #feed(): string {
    return this.#options.settings.current.update_feed || githubFeed(REPOSITORY);
  }

  get #transfer() {
    return { signal: this.#stopped.signal, proxy: this.#options.settings.current.upstream_proxy };
  }

  get #folder(): string {
    return this.#options.paths.updates;
  }

  get #staged(): string {
    return join(this.#folder, "iddio");
  }
}

function realpathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function busy(state: UpdateState): UserError {
  return new UserError(`an update is ${state.kind === "staged" ? "staged" : state.kind} already`, {
    hint: "see: iddio update status",
  });
}
