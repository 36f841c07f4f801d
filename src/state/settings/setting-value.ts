// How the values of settings.yaml are read: one reader a kind of value, each names the values that
// it accepts. Pure. Knows no setting by name.

import { parseDuration } from "../../text/duration.ts";
import { isSecureUrl } from "../../text/secure-url.ts";

/** A value as the daemon uses it, or the values that are accepted. */
export type SettingReading<T> = { readonly value: T } | { readonly wanted: string };

/** Reads what YAML or `settings set` gave. */
export type SettingReader<T> = (given: unknown) => SettingReading<T>;

/** One of a few words. YAML 1.1 habits are met halfway: `off` may come as a boolean false from other writers. */
export function word<const T extends string>(...words: readonly T[]): SettingReader<T> {
  return (given) => {
    const text = given === false ? "off" : given === true ? "on" : given;
    const found = words.find((each) => each === text);
    return found === undefined
      ? { wanted: words.length === 1 ? `only ${words[0]}` : `one of ${words.join(", ")}` }
      : { value: found };
  };
}

/** true or false. */
export const flagValue: SettingReader<boolean> = (given) => {
  if (typeof given === "boolean") return { value: given };
  if (given === "true") return { value: true };
  if (given === "false") return { value: false };
  return { wanted: "true or false" };
};

/** The longest that a timer can wait is a little more. */
const MAX_DURATION_MS = 24 * 24 * 60 * 60_000;

/** A duration above zero such as `30s` or `1h30m`, at most 24 days, kept as written. */
export const duration: SettingReader<string> = (given) => {
  const lengthMs = typeof given === "string" ? (parseDuration(given) ?? 0) : 0;
  return typeof given === "string" && lengthMs > 0 && lengthMs <= MAX_DURATION_MS
    ? { value: given }
    : { wanted: "a duration such as 30s, 5m or 1h30m, at most 24 days (24d)" };
};

const UNITS: Readonly<Record<string, number>> = { "": 1, KB: 1e3, MB: 1e6, KiB: 1024, MiB: 1024 ** 2 };

/** A size in bytes, plain or with KiB, MiB, KB or MB, up to 64 MiB. */
export const byteSize: SettingReader<number> = (given) => {
  const wanted = "a size such as 1MiB, 512KiB or 65536, at most 64MiB";
  const parts = /^(\d{1,9})\s?([KM]i?B)?$/.exec(
    typeof given === "number" ? String(given) : typeof given === "string" ? given : "",
  );
  const unit = UNITS[parts?.[2] ?? ""];
  if (parts === null || unit === undefined) return { wanted };
  const value = Number(parts[1]) * unit;
  return value <= 64 * 1024 ** 2 ? { value } : { wanted };
};

/** `host:port` to listen on; an IPv6 address in brackets; port 0 lets the system choose. */
export const listenAddress: SettingReader<string> = (given) => {
  const wanted = "an address and port such as 127.0.0.1:9443";
  if (typeof given !== "string") return { wanted };
  const parts = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(given);
  return parts !== null && Number(parts[2]) <= 65535 ? { value: given } : { wanted };
};

/** `auto`, `off`, or a port of this machine that no privilege is needed for. */
export const consolePort: SettingReader<string> = (given) => {
  if (given === false) return { value: "off" };
  const text = String(given);
  if (text === "auto" || text === "off") return { value: text };
  const isPort = /^\d{4,5}$/.test(text) && Number(text) >= 1024 && Number(text) <= 65535;
  return isPort ? { value: text } : { wanted: "auto, off, or a port from 1024 to 65535" };
};

/** An HTTP proxy's URL, or "" for none. */
export const proxyUrl: SettingReader<string> = (given) => {
  const wanted = 'a URL such as http://proxy.corp:3128, or "" for none';
  if (given === "" || given === null) return { value: "" };
  if (typeof given !== "string" || !URL.canParse(given)) return { wanted };
  const url = new URL(given);
  const isProxy =
    (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "" && url.pathname === "/";
  return isProxy && url.search === "" && url.hash === "" ? { value: given } : { wanted };
};

/** An https URL (http for this machine only), or "" for none. */
export const feedUrl: SettingReader<string> = (given) => {
  if (given === "" || given === null) return { value: "" };
  const isUrl = typeof given === "string" && URL.canParse(given);
  return isUrl && isSecureUrl(given)
    ? { value: given }
    : { wanted: 'an https URL, or "" for the project\'s own' };
};

/** Host names, suffixes and networks separated by commas, or "" for none. */
export const hostList: SettingReader<string> = (given) => {
  if (given === null) return { value: "" };
  const items = Array.isArray(given) ? given : typeof given === "string" ? given.split(",") : undefined;
  if (items?.every((each) => typeof each === "string" && /^\s*[A-Za-z0-9.*_:[\]/-]*\s*$/.test(each)))
    return {
      value: items
        .map((each: string) => each.trim())
        .filter((each) => each !== "")
        .join(","),
    };
  return { wanted: "hosts separated by commas, such as .corp,10.0.0.0/8" };
};

/** The absolute path of a file, or "" for none. */
export const filePath: SettingReader<string> = (given) => {
  if (given === "" || given === null) return { value: "" };
  return typeof given === "string" && /^\/[^\0\n]*$/.test(given)
    ? { value: given }
    : { wanted: 'an absolute path, or "" for the usual one' };
};
