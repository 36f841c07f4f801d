// The clocks of the page: one that ticks each second for countdowns, one that says whether the tab
// is looked at.

import { signal } from "@preact/signals";

/** Milliseconds since 1970, again each second. */
export const now = signal(Date.now());

setInterval(() => {
  now.value = Date.now();
}, 1_000);

/** `0:27`, `12:03`, `1h05m`: rounded up, so that it is over when it shows zero. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  const two = (value: number) => String(value).padStart(2, "0");
  if (seconds >= 3_600) return `${Math.floor(seconds / 3_600)}h${two(Math.floor((seconds % 3_600) / 60))}m`;
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

/** `14:03:22` of today, with the day in front of older ones. */
export function clockTime(ms: number): string {
  const at = new Date(ms);
  const time = at.toLocaleTimeString("en-GB");
  const isToday = new Date(now.value).toDateString() === at.toDateString();
  return isToday ? time : `${at.toLocaleDateString("en-GB", { day: "2-digit", month: "short" })} ${time}`;
}

/** `just now`, `4 min ago`, `3 h ago`, `2 days ago`. */
export function ago(ms: number): string {
  const minutes = Math.floor((now.value - ms) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}
