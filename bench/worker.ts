// A process of the bench and how it is talked to. Load, origin and relays run apart from each
// other, so that each has a core's time of its own and its cost can be read from the system.

import { resolve } from "node:path";

/** A running worker; `call` resolves with what its handler returned. */
export interface Worker extends AsyncDisposable {
  readonly pid: number;
  call<Answer>(name: string, input?: unknown): Promise<Answer>;
}

interface Call {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly problem?: string;
}

/** Starts a file of this folder, or one anywhere, as a process. Its end takes with it every call that waits. */
export function startWorker(file: string): Worker {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let last = 0;
  const child = Bun.spawn([process.execPath, resolve(import.meta.dir, file)], {
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
    serialization: "json",
    ipc(message: Answer) {
      const call = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.problem === undefined) call?.resolve(message.value);
      else call?.reject(new Error(`${file}: ${message.problem}`));
    },
    onExit() {
      for (const call of waiting.values()) call.reject(new Error(`${file} ended`));
      waiting.clear();
    },
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  return {
    pid: child.pid,
    call<Result>(name: string, input: unknown = null) {
      const id = ++last;
      const call = Promise.withResolvers<unknown>();
      waiting.set(id, call);
      child.send({ id, name, input } satisfies Call);
      return call.promise as Promise<Result>;
    },
    async [Symbol.asyncDispose]() {
      process.off("exit", kill);
      kill();
      await child.exited;
    },
  };
}

/** The worker's side: answers calls by name until the process that started it is gone. */
export function answerCalls(handlers: Readonly<Record<string, (input: never) => unknown>>): void {
  const send = (answer: Answer) => process.send?.(answer);
  process.on("message", async ({ id, name, input }: Call) => {
    try {
      const handler = handlers[name];
      if (handler === undefined) throw new Error(`no call '${name}'`);
      send({ id, value: (await handler(input as never)) ?? null });
    } catch (error) {
      send({ id, problem: error instanceof Error ? error.message : String(error) });
    }
  });
  process.on("disconnect", () => process.exit(0));
}
