// Tells "there is no daemon" from every other failure of a call.

import { DaemonDown } from "../../api/client.ts";

/** Whether the call failed because nothing answers on the socket; a command may then work from the files. */
export function isDown(error: unknown): boolean {
  return error instanceof DaemonDown;
}
