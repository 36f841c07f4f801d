// A connection that a client wants carried on from the host (`ssh -L`, `-W`, `-J`): asked about by
// where it leads, and joined to `ssh -W` of the operator's when the policy lets it through. A
// refusal is the answer to the opening itself.

import type { Connection, ServerChannel } from "ssh2";
import { isPlainHost } from "../../../protocols/ssh/target.ts";
import { ChannelWriter } from "./channel-writer.ts";
import { joinUpstream } from "./join-upstream.ts";
import { Recording } from "./recording.ts";
import type { SessionContext } from "./session-context.ts";

/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254, 5.1). */
const PROHIBITED = 1;

/** A channel that is asked for. */
export interface ForwardOffer {
  readonly host: string;
  readonly port: number;
  accept(): ServerChannel;
  reject(): void;
}

/** Serves one to its end. Never rejects. */
export async function serveForward(
  context: SessionContext,
  client: Connection,
  offer: ForwardOffer,
): Promise<void> {
  const { host, port } = offer;
  const refuse = (text: string) => rejectInWords(client, offer, text);
  // It becomes words of a command line.
  if (!isPlainHost(host) || !Number.isInteger(port) || port < 1 || port > 65_535)
    return refuse("iddio refused a forwarding to a host whose name is not plain");
  const detail = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const { link } = context;
  const asked = link.ask({ kind: "forward", what: "direct-tcpip", detail }, () => undefined);
  const answer = await asked.answer;
  if (answer.kind === "refuse") return refuse(answer.text);
  let recording: Recording | undefined;
  let stop = () => {};
  try {
    const { recording: order } = answer;
    if (order !== undefined)
      recording = await Recording.begin(order, () => {
        if (order.endsOnFailure) stop();
      });
  } catch (error) {
    const reason = `the session cannot be recorded (${error instanceof Error ? error.message : String(error)})`;
    if (answer.recording?.endsOnFailure) {
      link.end(asked.id, { code: undefined, toRemote: 0, fromRemote: 0, reason });
      return refuse(`iddio refused it: ${reason}`);
    }
  }
  const channel = offer.accept();
  const writer = new ChannelWriter(channel, client);
  const { upstream, ended } = joinUpstream({
    context,
    channel,
    writer,
    id: asked.id,
    work: { kind: "connect", host, port },
    terminal: () => undefined,
    variables: new Map(),
    recording,
    // Such a channel has no stderr; the row has the reason.
    tell: async () => undefined,
  });
  stop = () => upstream?.kill();
  await ended;
  await writer.close();
}

/** ssh2 refuses without a word, and a person at a terminal reads the word. */
function rejectInWords(client: Connection, { reject }: ForwardOffer, text: string): void {
  const protocol = (client as unknown as { readonly _protocol: Record<string, unknown> })._protocol;
  const fail = protocol.channelOpenFail as (to: number, reason: number, words: string) => void;
  protocol.channelOpenFail = (to: number) => fail.call(protocol, to, PROHIBITED, text);
  try {
    reject();
  } finally {
    delete protocol.channelOpenFail;
  }
}
