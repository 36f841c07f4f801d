// What a feature brings, as data: its folder has a feature.ts with one of these, and features/features.ts lists them.
// The command line, `doctor`, help and docs/features.md read that list and know no feature by name. It is loaded at every
// start, so what is heavy stays behind a function.

import type { ControlMethod } from "../../api/methods.ts";
import type { SettingName } from "../../state/settings/settings.ts";
import type { NamedCheck } from "./check.ts";
import type { Command } from "./command.ts";

/** One feature. */
export interface Feature {
  /** Its folder. */
  readonly name: string;
  /** What it does, as a sentence that starts with a verb; no full stop. */
  readonly about: string;
  readonly commands?: readonly Command[];
  /** What its commands that share their first words are about. */
  readonly nouns?: Readonly<Record<string, string>>;
  /** Methods of the control API that are there for it. */
  readonly methods?: readonly ControlMethod[];
  /** Lines of settings.yaml that are there for it. */
  readonly settings?: readonly SettingName[];
  /** Tables of state.db that only it uses. */
  readonly tables?: readonly string[];
  /** Names of the stages that every ask goes through because of it. */
  readonly stages?: readonly string[];
  /** Its checks of `iddio doctor`. */
  readonly checks?: () => Promise<readonly NamedCheck[]>;
}
