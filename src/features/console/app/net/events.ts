// The one stream of this tab. It goes on from the last event that was seen, so that nothing is lost
// or doubled when the connection or the daemon was away; when the daemon no longer knows where that
// was, everybody reads again.

import { signal } from "@preact/signals";
import type { EventRow } from "../../../../api/reports.ts";
import { CallFailed, send } from "./call.ts";
import { leaveSession, sessionState } from "./session.ts";

/** An event, without the rows that only count lost ones. */
export type LiveEvent = Extract<EventRow, { readonly tag: unknown }>;

/** Whether the stream is there. */
export const connection = signal<"connecting" | "live" | "lost">("connecting");

type Listener = (event: LiveEvent) => void;

const listeners = new Set<Listener>();
const refreshers = new Set<() => void>();
/** Longer than the beat of a quiet stream. */
const SILENCE_MS = 25_000;
const PAUSES_MS = [200, 500, 1_000, 2_000];

let last: string | undefined;

/** Calls for every event from now on; returns the way to stop. */
export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Calls whenever earlier data may be out of date: at once, after a gap, after a restart. Returns the way to stop. */
export function onRefresh(refresh: () => void): () => void {
  refreshers.add(refresh);
  return () => refreshers.delete(refresh);
}

/** Reads the stream for as long as the session lasts. */
export async function followEvents(): Promise<void> {
  for (let failures = 0; sessionState.value === "open"; ) {
    try {
      await readStream(() => {
        if (connection.value !== "live") {
          connection.value = "live";
          for (const refresh of refreshers) refresh();
        }
        failures = 0;
      });
    } catch (error) {
      if (error instanceof CallFailed && error.code === undefined) return leaveSession();
    }
    if (sessionState.value !== "open") return;
    connection.value = "lost";
    await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]));
    failures += 1;
  }
}

async function readStream(isThere: () => void): Promise<void> {
  const stop = new AbortController();
  let silence = setTimeout(() => stop.abort(), SILENCE_MS);
  try {
    const input = { follow: true, ...(last === undefined ? {} : { after: last }) };
    const response = await send("events", input, undefined, stop.signal);
    if (response.status === 401) throw new CallFailed({ error: "the session has ended" });
    if (!response.ok || response.body === null) return;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      isThere();
      clearTimeout(silence);
      silence = setTimeout(() => stop.abort(), SILENCE_MS);
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") take(JSON.parse(line) as EventRow);
    }
  } finally {
    clearTimeout(silence);
    stop.abort();
  }
}

function take(row: EventRow): void {
  if ("lost" in row) {
    for (const refresh of refreshers) refresh();
    return;
  }
  if (row.id !== undefined) last = row.id;
  for (const listener of listeners) listener(row);
}
