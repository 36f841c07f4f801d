// Calls of the REST API with the session's cookie, and the repeated reads while a page is open. A
// session that has ended shows the way to log in.

import { type ReadonlySignal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

/** Who looks. */
export interface Me {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly rights: readonly string[];
}

/** undefined while it is not known, null for nobody. */
export const me = signal<Me | null | undefined>(undefined);

/** A refusal in the server's words. */
export class RefusedCall extends Error {
  readonly hint: string | undefined;

  constructor(title: string, hint: string | undefined) {
    super(title);
    this.hint = hint;
  }
}

/** Where this page is: the server asks for it where tenants share a host. */
export const ownPage = { "iddio-page": location.pathname };

/** Asks; `input` makes it a change. */
export async function askServer<T>(path: string, input?: object): Promise<T> {
  // Below the page's own path, which may be a tenant's.
  const response = await fetch(`api/v1/${path}`, {
    credentials: "same-origin",
    ...(input === undefined
      ? { headers: ownPage }
      : {
          method: "POST",
          body: JSON.stringify(input),
          headers: {
            ...ownPage,
            "content-type": "application/json",
            "idempotency-key": crypto.randomUUID(),
          },
        }),
  });
  const body: unknown = await response.json();
  if (response.ok) return body as T;
  if (response.status === 401) me.value = null;
  const { title, detail, problems } = body as {
    title?: string;
    detail?: string;
    problems?: readonly { line: number; message: string }[];
  };
  const hint = detail ?? problems?.map(({ line, message }) => `line ${line}: ${message}`).join("; ");
  throw new RefusedCall(title ?? `the server answered ${response.status}`, hint);
}

/** Something that is read now, and again after a gap. */
export interface PollReading<T> {
  readonly value: ReadonlySignal<T | undefined>;
  readonly problem: ReadonlySignal<Error | undefined>;
  reload(): Promise<void>;
}

/**
 * Reads a path every `everyMs`, and at once when it changes. The old data stays on the screen while new data
 * is read.
 */
export function useReading<T>(path: string, everyMs = 3000): PollReading<T> {
  const reading = useMemo(() => {
    const value = signal<T | undefined>(undefined);
    const problem = signal<Error | undefined>(undefined);
    const reload = async () => {
      try {
        value.value = await askServer<T>(path);
        problem.value = undefined;
      } catch (error) {
        problem.value = error as Error;
      }
    };
    return { value, problem, reload };
  }, [path]);
  useEffect(() => {
    void reading.reload();
    const timer = setInterval(() => (document.hidden ? undefined : reading.reload()), everyMs);
    return () => clearInterval(timer);
  }, [reading]);
  return reading;
}

/** A page of a list. */
export interface List<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** The time since then, as a short text. */
export function agoText(ms: number): string {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 90) return `${seconds}s agoText`;
  if (seconds < 5400) return `${Math.round(seconds / 60)}m agoText`;
  return seconds < 129_600
    ? `${Math.round(seconds / 3600)}h agoText`
    : `${Math.round(seconds / 86_400)}d agoText`;
}
