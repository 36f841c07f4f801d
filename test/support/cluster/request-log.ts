// The requests that reached the cluster, and waiting for one.

import type { User } from "./authentication.ts";
import type { ClusterRequest } from "./http-connection.ts";

/** A request with who sent it. */
export interface RecordedRequest extends ClusterRequest {
  /** Undefined when authentication failed. */
  readonly user: User | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A test for recorded requests: by method and a pattern for the target. */
export interface RequestPattern {
  readonly method?: string;
  readonly target?: RegExp | string;
}

/** All requests of a cluster, in order of arrival. */
export class RequestLog {
  readonly #all: RecordedRequest[] = [];
  readonly #waiting = new Set<() => void>();

  /** Records one. */
  add(request: ClusterRequest, user: User | undefined): void {
    this.#all.push({ ...request, user, at: Date.now() });
    for (const wake of [...this.#waiting]) wake();
  }

  get all(): readonly RecordedRequest[] {
    return this.#all;
  }

  /** Those that match, in order. */
  matching(pattern: RequestPattern): RecordedRequest[] {
    return this.#all.filter((request) => matches(request, pattern));
  }

  /** The first match that comes or came; rejects after the timeout. */
  async waitFor(pattern: RequestPattern, timeoutMs = 10_000): Promise<RecordedRequest> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const [found] = this.matching(pattern);
      if (found !== undefined) return found;
      if (Date.now() >= deadline)
        throw new Error(`no request came: ${pattern.method ?? "any"} ${String(pattern.target)}`);
      await this.#next(deadline - Date.now());
    }
  }

  /** Forgets what came so far. */
  clear(): void {
    this.#all.length = 0;
  }

  #next(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
    });
  }
}

function matches(request: RecordedRequest, { method, target }: RequestPattern): boolean {
  if (method !== undefined && request.method !== method) return false;
  if (target === undefined) return true;
  return typeof target === "string" ? request.target === target : target.test(request.target);
}
