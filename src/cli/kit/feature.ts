// The contract of a feature: its folder has a feature.ts with one of these, and
// features/features.ts lists them. The command line, `doctor`, help and docs/features.md read that
// list and know no feature by name. It is loaded at every start, so heavy parts stay behind a
// function.

import type { ControlMethod } from "../../api/methods.ts";
import type { StartDaemonPart } from "../../gateway/daemon-part.ts";
import type { SettingName } from "../../state/settings/settings.ts";
import type { NamedCheck } from "./check.ts";
import type { Command } from "./command.ts";

/** One feature. */
export interface Feature {
  /** Its folder. */
  readonly name: string;
  /** The feature's purpose, as a sentence that starts with a verb; no full stop. */
  readonly about: string;
  readonly commands?: readonly Command[];
  /** Describes the first words that its commands share. */
  readonly nouns?: Readonly<Record<string, string>>;
  /** Methods of the control API that are there for it. */
  readonly methods?: readonly ControlMethod[];
  /** Lines of settings.yaml that are there for it. */
  readonly settings?: readonly SettingName[];
  /** Tables of state.db that only it uses. */
  readonly tables?: readonly string[];
  /** Names of the stages that every ask goes through because of it. */
  readonly stages?: readonly string[];
  /** Its part in the daemon; gateway/daemon-part.ts is the contract. */
  readonly daemon?: () => Promise<StartDaemonPart>;
  /** Its checks of `iddio doctor`. */
  readonly checks?: () => Promise<readonly NamedCheck[]>;
}
