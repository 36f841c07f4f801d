// The one thing that the proxy's own port answers beside being a proxy: callbacks of a webhook's
// receiver. Bounded and read whole before anything is looked at; whether one counts is decided by
// its signature.

import { CALLBACK_MAX_BYTES, CALLBACK_PATH } from "../../host/notices/webhook-callback.ts";
import { BodyDecoder } from "../../wire/http1/body.ts";
import type { WireRequestHead } from "../../wire/http1/head.ts";
import { answerShortly } from "../message/short-answer.ts";
import type { CallbackReceiver } from "../request/contracts/callback-receiver.ts";
import type { Channel } from "../stream/channel.ts";

const WHOLE_MS = 10_000;
/** At once; each holds at most CALLBACK_MAX_BYTES. */
const OPEN_MAX = 8;

let open = 0;

/** Whether a request to the proxy itself is one. */
export function isCallback({ method, target }: WireRequestHead): boolean {
  return method === "POST" && target === CALLBACK_PATH;
}

/** Reads the body, hands it over and answers; the connection then ends. */
export async function serveCallback(
  channel: Channel,
  head: WireRequestHead,
  receiver: CallbackReceiver,
): Promise<void> {
  if (open >= OPEN_MAX) return answerShortly(channel, 503, "too many callbacks at once");
  open += 1;
  try {
    const body = await wholeBody(channel, head);
    if (body === undefined) return await answerShortly(channel, 400, "the body is cut off or too large");
    const header = (name: string) => {
      const found = head.headers.filter(([field]) => field.toLowerCase() === name);
      return found.length === 1 ? found[0]?.[1] : undefined;
    };
    const { status, said } = await receiver.take({ header, body });
    await answerShortly(channel, status, said);
  } finally {
    open -= 1;
  }
}

async function wholeBody(channel: Channel, { framing }: WireRequestHead): Promise<string | undefined> {
  const decoder = new BodyDecoder(framing);
  const deadline = Date.now() + WHOLE_MS;
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const step = decoder.push(channel.read());
    if (step.kind === "bad") return undefined;
    parts.push(...step.data);
    size += step.data.reduce((sum, each) => sum + each.length, 0);
    if (size > CALLBACK_MAX_BYTES) return undefined;
    if (step.done) return Buffer.concat(parts).toString("utf8");
    if (!(await channel.moreWithin(deadline - Date.now()))) return undefined;
  }
}
