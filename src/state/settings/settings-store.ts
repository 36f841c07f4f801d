// The settings in force. Like the policy's: a file that does not load changes nothing and the
// problem is there to be shown. A missing file is no problem: everything has a default.

import { UserError } from "../../model/user-error.ts";
import { writeFileAtomic } from "../files.ts";
import type { StatePaths } from "../paths.ts";
import { type FileContent, WatchedFile } from "../watched-file.ts";
import { areNarrowerSettings } from "./setting-narrows.ts";
import {
  DEFAULT_SETTINGS,
  editSettings,
  parseSettings,
  readSetting,
  type SettingName,
  type Settings,
} from "./settings.ts";

/** The result of a look at the file. */
export type SettingsChange =
  | { readonly kind: "loaded"; readonly settings: Settings; readonly previous: Settings }
  | { readonly kind: "failed"; readonly problem: string }
  /** The file may weaken the settings in force, so a person must load it. */
  | { readonly kind: "waiting"; readonly problem: string };

/** The settings that were last in force with a person's consent. */
export interface ApprovedSettings {
  readonly approved: () => string | undefined;
  readonly approve: (text: string) => void;
}

const WAITS = "the file on disk may weaken the settings in force; load it with: iddio settings reload";

/** Holds the settings and follows the file. */
export class SettingsStore {
  readonly #path: string;
  readonly #file: WatchedFile;
  readonly #listeners = new Set<(change: SettingsChange) => void>();
  #current: Settings = DEFAULT_SETTINGS;
  #text = "";
  #reloadProblem: string | undefined;
  #isOpen = false;
  readonly #consent: ApprovedSettings | undefined;

  private constructor(path: string, consent: ApprovedSettings | undefined) {
    this.#path = path;
    this.#consent = consent;
    this.#file = new WatchedFile(path, (content) => this.#apply(content));
  }

  /**
   * Loads and starts to watch. A file that weakens the last approved settings waits, and the approved text is
   * in force. Throws a `UserError` when the file is there but not valid.
   */
  static async open(paths: StatePaths, consent?: ApprovedSettings): Promise<SettingsStore> {
    const store = new SettingsStore(paths.settings, consent);
    const approved = consent?.approved();
    // A text that an older iddio approved may not load any more; then the file is used.
    if (approved !== undefined) store.#apply({ kind: "text", text: approved });
    store.#isOpen = approved !== undefined && store.#reloadProblem === undefined;
    store.#apply(await store.#file.read());
    store.#isOpen = true;
    if (store.#reloadProblem !== undefined && store.#reloadProblem !== WAITS)
      throw new UserError(`cannot load '${paths.settings}': ${store.#reloadProblem}`, {
        hint: "correct the file, or remove it to start with the defaults",
      });
    store.#file.start();
    return store;
  }

  /** The settings in force; immutable. */
  get current(): Settings {
    return this.#current;
  }

  /** Why the file on disk is not in force; undefined when it is. */
  get reloadProblem(): string | undefined {
    return this.#reloadProblem;
  }

  /** Reads the file now. Throws a `UserError` when it does not load; the settings in force then stay. */
  async reload(hasConsent = false): Promise<Settings> {
    this.#apply(await this.#file.read(), hasConsent);
    if (this.#reloadProblem === WAITS)
      throw new UserError("settings.yaml on disk may weaken the settings in force", {
        hint: "iddio settings reload",
        code: "needs-presence",
      });
    if (this.#reloadProblem !== undefined)
      throw new UserError(`cannot load '${this.#path}': ${this.#reloadProblem}`, {
        hint: "correct the file",
        code: "does-not-load",
      });
    return this.#current;
  }

  /** Writes one setting into the file and puts it in force. Throws a `UserError` for a wrong name or value. */
  async set(name: string, value: unknown, hasConsent = false): Promise<Settings> {
    await this.reload(); // never write over a file that somebody is just repairing
    const reading = readSetting(name, value);
    if ("problem" in reading) throw new UserError(reading.problem, { exitCode: 2 });
    await writeFileAtomic(this.#path, editSettings(this.#text, name as SettingName, reading.value));
    return this.reload(hasConsent);
  }

  /** Calls after each change and each failure to load. Returns the way to stop. */
  onChange(listener: (change: SettingsChange) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Stops watching. */
  close(): void {
    this.#file.close();
    this.#listeners.clear();
  }

  #apply(content: FileContent, hasConsent = false): void {
    const parsed = read(content);
    if ("problem" in parsed) {
      this.#reloadProblem = parsed.problem;
      this.#tell({ kind: "failed", problem: parsed.problem });
      return;
    }
    const previous = this.#current;
    const isGuarded = this.#isOpen && previous.approval_guard !== "off" && this.#consent !== undefined;
    if (isGuarded && !hasConsent && !areNarrowerSettings(previous, parsed.settings)) {
      this.#reloadProblem = WAITS;
      this.#tell({ kind: "waiting", problem: WAITS });
      return;
    }
    this.#consent?.approve(parsed.text);
    const hadProblem = this.#reloadProblem !== undefined;
    this.#text = parsed.text;
    this.#current = parsed.settings;
    this.#reloadProblem = undefined;
    if (hadProblem || JSON.stringify(previous) !== JSON.stringify(parsed.settings))
      this.#tell({ kind: "loaded", settings: parsed.settings, previous });
  }

  #tell(change: SettingsChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function read(
  content: FileContent,
): { readonly text: string; readonly settings: Settings } | { readonly problem: string } {
  if (content.kind === "unreadable") return { problem: content.why };
  const text = content.kind === "missing" ? "" : content.text;
  const parsed = parseSettings(text);
  return "problems" in parsed ? { problem: parsed.problems.join("; ") } : { text, settings: parsed.settings };
}
