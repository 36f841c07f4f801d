// A control server with the handlers that a test gives; every other method fails.

import { join } from "node:path";
import { ControlClient } from "../../src/api/client.ts";
import type { ControlHandlers } from "../../src/api/handlers.ts";
import { type ControlMethod, METHODS } from "../../src/api/methods.ts";
import { serveControl } from "../../src/api/server/server.ts";
import { OPEN_GATE } from "./sandbox/open-gate.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** The running server with a client for it. */
export interface TestControl extends AsyncDisposable {
  readonly socket: string;
  readonly client: ControlClient;
  readonly errors: unknown[];
}

/** Serves on a socket in a directory of its own. */
export async function controlServer(handlers: Partial<ControlHandlers>): Promise<TestControl> {
  const directory = await temporaryDirectory();
  const socket = join(directory.path, "iddio.sock");
  const errors: unknown[] = [];
  const server = await serveControl(socket, completed(handlers), {
    gate: OPEN_GATE,
    onError: (error) => errors.push(error),
  });
  return {
    socket,
    client: new ControlClient(socket),
    errors,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Handlers for every method; those not given throw. */
export function completed(handlers: Partial<ControlHandlers>): ControlHandlers {
  const missing = (name: ControlMethod) => () => {
    throw new Error(`the test has no handler for ${name}`);
  };
  const all = Object.keys(METHODS).map((name) => [name, missing(name as ControlMethod)]);
  return { ...Object.fromEntries(all), ...handlers } as ControlHandlers;
}
