// settings.yaml: the settings, their allowed values and their defaults. The table at the top is the
// only list. A file that is wrong anywhere is not used at all, and every problem in it is reported.

import { isMap, isScalar, LineCounter, parseDocument } from "yaml";
import { MODES } from "../../model/mode.ts";
import { inQuotes } from "../../text/in-quotes.ts";
import {
  byteSize,
  consolePort,
  duration,
  feedUrl,
  filePath,
  flagValue,
  hostList,
  listenAddress,
  proxyUrl,
  type SettingReader,
  word,
} from "./setting-value.ts";

interface Setting<T> {
  readonly initial: T;
  readonly read: SettingReader<T>;
}

function setting<T>(initial: T, read: SettingReader<T>): Setting<T> {
  return { initial, read };
}

const TABLE = {
  /** Address and port that the proxy listens on. */
  proxy_listen: setting("127.0.0.1:9443", listenAddress),
  log_level: setting("info", word("debug", "info", "warn", "error")),
  /** The proxy mode at start. */
  default_mode: setting("enforce", word(...MODES)),
  /** Stored because the manual has it; nothing is ever sent. */
  telemetry_opt_in: setting(false, flagValue),
  /** How long a held request waits for a person. */
  approval_timeout: setting("30s", duration),
  /** Whether connections that pass through leave a row with host and port. */
  audit_passthrough: setting("metadata", word("metadata", "off")),
  /** Which hosts are spliced for a while after their certificate failed verification. */
  detector: setting("off", word("off", "generic", "all")),
  detector_ttl: setting("1h", duration),
  /** Bytes of a body that are read for a classifier or an approval. */
  classify_body_limit: setting(1024 * 1024, byteSize),
  /** Whether requests above observe are refused while the audit cannot be written. */
  audit_failure: setting("closed", word("closed", "open")),
  /** Whether every row of the audit log names the hash of the one before. */
  audit_chain: setting("off", word("off", "on")),
  /** The corporate proxy to reach upstreams through. May hold credentials: never print it unmasked. */
  upstream_proxy: setting("", proxyUrl),
  upstream_no_proxy: setting("", hostList),
  /** Whether a held request is shown on the desktop, where there is one. */
  notifications: setting("on", word("on", "alert", "off")),
  /** Port of the console on this machine: `auto` keeps the one that was chosen at first, `off` serves none. */
  console_listen: setting("auto", consolePort),
  /** The factor that proves that a person, not an agent, answers and widens. */
  approval_guard: setting("session", word("off", "session", "totp", "passkey")),
  /** Whether a person who looks at a held request is shown its effect. */
  effect_preview: setting("on", word("on", "off")),
  /** Whether the effect is compared with the shown one before the request goes. */
  effect_pin: setting("on", word("on", "off")),
  /** The ssh configuration that upstream SSH connections are made by; "" for the usual files. */
  ssh_config: setting("", filePath),
  /** The socket of an agent of keys for these connections; "" for what the daemon was started with. */
  ssh_agent: setting("", filePath),
  /** Whether the objects that a change of a cluster replaces or deletes are kept, so that it can be undone. */
  undo: setting("on", word("on", "off")),
  /** Which changes do not go when that fails: all, those above modify, none. */
  undo_failure: setting("sensitive", word("closed", "sensitive", "open")),
  /** How long it is kept. */
  undo_keep: setting("7d", duration),
  /** Whether Secrets are kept too. */
  undo_secrets: setting("off", word("on", "off")),
  /** How much of a session into a cluster (exec, attach) is kept. */
  record_sessions: setting("full", word("full", "metadata", "off")),
  /** The same for forwarded ports. */
  record_port_forward: setting("metadata", word("full", "metadata", "off")),
  /** Whether keystrokes in a terminal are kept, passwords included. */
  record_stdin: setting("off", word("on", "off")),
  /** Whether a session goes on that can no longer be recorded. */
  recording_failure: setting("closed", word("closed", "open")),
  /** Octets of content that are kept of one session. */
  recording_limit: setting(64 * 1024 * 1024, byteSize),
  /** How long recordings are kept. */
  recording_keep: setting("14d", duration),
  /** Whether the daemon looks for newer releases by itself: `check` looks, `stage` also downloads. */
  update_mode: setting("check", word("off", "check", "stage")),
  update_interval: setting("24h", duration),
  /** Where releases are looked for, in the shape of GitHub's API; "" for the project's own. */
  update_feed: setting("", feedUrl),
} as const;

/** Every setting, under the name that it has in the file. */
export type Settings = {
  readonly [K in keyof typeof TABLE]: (typeof TABLE)[K] extends Setting<infer T> ? T : never;
};

/** The name of a setting. */
export type SettingName = keyof Settings;

/** Every name, in the order in which they are printed. */
export const SETTING_NAMES = Object.keys(TABLE) as readonly SettingName[];

/** The settings when the file says nothing. */
export const DEFAULT_SETTINGS: Settings = Object.freeze(
  Object.fromEntries(Object.entries(TABLE).map(([name, each]) => [name, each.initial])),
) as unknown as Settings;

/** The settings that a text gives, defaults filled in; or everything that is wrong with it, a clause each. */
export type ParsedSettings = { readonly settings: Settings } | { readonly problems: readonly string[] };

/** Reads the text of settings.yaml. An empty document is the defaults. */
export function parseSettings(text: string): ParsedSettings {
  if (text.length > 65_536) return { problems: ["the file is larger than 64 KiB"] };
  const lines = new LineCounter();
  const document = parseDocument(text, {
    uniqueKeys: true,
    merge: false,
    version: "1.2",
    lineCounter: lines,
  });
  if (document.errors.length > 0)
    return {
      problems: document.errors.map(
        (each) => `line ${lines.linePos(each.pos[0]).line}: ${firstLine(each.message)}`,
      ),
    };
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return { settings: DEFAULT_SETTINGS };
  if (!isMap(root)) return { problems: ["the file must hold `name: value` lines"] };
  const values: Record<string, unknown> = { ...DEFAULT_SETTINGS };
  const problems: string[] = [];
  for (const { key, value } of root.items) {
    const name = isScalar(key) ? String(key.value) : String(key);
    const given: unknown = isScalar(value)
      ? value.value
      : (value as { toJSON?: () => unknown } | null)?.toJSON?.();
    const reading = readSetting(name, given);
    const line = lines.linePos((key as { range?: readonly number[] } | null)?.range?.[0] ?? 0).line;
    if ("problem" in reading) problems.push(`line ${line}: ${reading.problem}`);
    else values[name] = reading.value;
  }
  return problems.length > 0 ? { problems } : { settings: values as unknown as Settings };
}

/** Reads one value for one setting; the problem names the accepted values. */
export function readSetting(
  name: string,
  given: unknown,
): { readonly value: unknown } | { readonly problem: string } {
  const entry = (TABLE as Readonly<Record<string, Setting<unknown>>>)[Object.hasOwn(TABLE, name) ? name : ""];
  if (entry === undefined)
    return { problem: `unknown setting '${name}' (known: ${SETTING_NAMES.join(", ")})` };
  const reading = (entry.read as SettingReader<unknown>)(given);
  if ("value" in reading) return reading;
  return { problem: `'${name}' must be ${reading.wanted}, not ${shown(given)}` };
}

function shown(given: unknown): string {
  return typeof given === "string" ? inQuotes(given) : (JSON.stringify(given) ?? "nothing");
}

/** The text with one setting changed or added; comments and layout of the rest stay. Both text and value must be valid. */
export function editSettings(text: string, name: SettingName, value: unknown): string {
  const document = parseDocument(text, { version: "1.2" });
  document.set(name, value);
  return document.toString({ lineWidth: 0 });
}

function firstLine(message: string): string {
  return (message.split("\n")[0] ?? message).replace(/(?: at line \d+, column \d+)?:?$/, "");
}
