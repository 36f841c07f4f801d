// Something read from the daemon for a page: read at once, again after a gap, and when events say
// that it has changed. The old data stays on the screen while new data is read.

import { type ReadonlySignal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { CallMethod, ControlMethods } from "../../../../api/methods.ts";
import type { EventTag } from "../../../../model/event.ts";
import { call } from "../net/call.ts";
import { onEvent, onRefresh } from "../net/events.ts";

/** A reading that goes on. */
export interface Loaded<T> {
  readonly value: ReadonlySignal<T | undefined>;
  readonly problem: ReadonlySignal<Error | undefined>;
  reload(): void;
}

const GATHER_MS = 40;

/** Reads a method now and whenever one of these events comes. */
export function useLoaded<M extends CallMethod>(
  method: M,
  input: ControlMethods[M]["input"],
  tags: readonly EventTag[] = [],
): Loaded<ControlMethods[M]["output"]> {
  const key = JSON.stringify(input);
  const loaded = useMemo(() => loading(() => call(method, input)), [method, key]);
  useEffect(() => follow(loaded, tags), [loaded]);
  return loaded;
}

/** The same outside of a component: `read` may be called at any time. */
export function loading<T>(read: () => Promise<T>): Loaded<T> {
  const value = signal<T | undefined>(undefined);
  const problem = signal<Error | undefined>(undefined);
  let isReading = false;
  let isStale = false;
  const reload = () => {
    if (isReading) {
      isStale = true;
      return;
    }
    isReading = true;
    isStale = false;
    read()
      .then(
        (got) => {
          value.value = got;
          problem.value = undefined;
        },
        (error: unknown) => {
          problem.value = error instanceof Error ? error : new Error(String(error));
        },
      )
      .finally(() => {
        isReading = false;
        if (isStale) reload();
      });
  };
  return { value, problem, reload };
}

/** Reads now and keeps reading; returns the way to stop. */
export function follow<T>({ reload }: Loaded<T>, tags: readonly EventTag[]): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      reload();
    }, GATHER_MS);
  };
  const stops = [onRefresh(soon), onEvent(({ tag }) => (tags.includes(tag) ? soon() : undefined))];
  reload();
  return () => {
    clearTimeout(timer);
    for (const stop of stops) stop();
  };
}
