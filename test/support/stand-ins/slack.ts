// Slack as far as iddio uses it, after its published documentation: the Web API with `ok` in every
// answer, and Socket Mode with hello, envelopes that must be acknowledged, pings, and a disconnect
// before a link ends. It can drop links, send an envelope again and out of order, refuse calls, and
// forget to answer.

import type { ServerWebSocket } from "bun";
import { eventually } from "../eventually.ts";

/** A message in the channel. */
export interface SlackMessage {
  readonly ts: string;
  readonly channel: string;
  text: string;
  blocks: readonly Record<string, unknown>[];
  readonly metadata: unknown;
  edits: number;
}

/** A click that is to be sent. */
export interface ClickOptions {
  readonly verb: "allow" | "deny";
  readonly user?: string;
  readonly team?: string;
  readonly channel?: string;
  /** The value on the button, where it is not the card's own. */
  readonly value?: string;
  readonly envelope?: string;
}

/** The stand-in. */
export interface SlackStandIn extends AsyncDisposable {
  /** Address of the Web API. */
  readonly api: string;
  readonly messages: SlackMessage[];
  /** Ids of envelopes that were acknowledged, each time. */
  readonly acknowledged: string[];
  /** Links that were opened so far. */
  readonly links: number;
  /** Calls of methods so far. */
  readonly calls: string[];
  /** Answers the next calls of a method with this in place of what it does; `after`: it does it all the same. */
  fail(
    method: string,
    answer: () => Response | Promise<Response>,
    options?: { after?: boolean; times?: number },
  ): void;
  isShared: boolean;
  /** Resolves once a link is there. */
  linked(count?: number): Promise<void>;
  /** The envelope of a click on a card. */
  envelope(message: SlackMessage, options: ClickOptions): Record<string, unknown>;
  /** Sends envelopes on the newest link, in this order. */
  send(...envelopes: Record<string, unknown>[]): void;
  click(message: SlackMessage, options: ClickOptions): void;
  /** Says that the link ends soon, as Slack does once an hour. */
  refresh(reason?: string): void;
  /** Cuts every link without a word. */
  drop(): void;
}

/** The tokens that it takes. */
export const SLACK_TOKENS = ["xapp-1-A0123456789-test", "xoxb-0123456789-test"] as const;

/** Starts it on a port of its own. */
export function startSlack(): SlackStandIn {
  const messages: SlackMessage[] = [];
  const acknowledged: string[] = [];
  const calls: string[] = [];
  const open = new Set<ServerWebSocket<undefined>>();
  const failures = new Map<
    string,
    { answer: () => Response | Promise<Response>; after: boolean; times: number }
  >();
  let links = 0;
  let count = 0;
  let newest: ServerWebSocket<undefined> | undefined;

  const perform = async (method: string, request: Request): Promise<Record<string, unknown>> => {
    const isApp = method === "apps.connections.open";
    if (request.headers.get("authorization") !== `Bearer ${SLACK_TOKENS[isApp ? 0 : 1]}`)
      return { ok: false, error: "invalid_auth" };
    const isRead = method === "conversations.info" || method === "conversations.history";
    // As Slack: methods that read take no JSON.
    if (isRead !== (request.method === "GET")) return { ok: false, error: "invalid_arguments" };
    const input = isRead ? {} : ((await request.json()) as Record<string, unknown>);
    switch (method) {
      case "apps.connections.open":
        return { ok: true, url: `ws://127.0.0.1:${server.port}/link?ticket=${crypto.randomUUID()}` };
      case "conversations.info":
        return { ok: true, channel: { id: "C0CHANNEL1", is_ext_shared: slack.isShared } };
      case "conversations.history":
        return { ok: true, messages: messages.map(({ ts, metadata }) => ({ ts, metadata })) };
      case "chat.postMessage": {
        const ts = `1700000000.${String(++count).padStart(6, "0")}`;
        const { channel, text, blocks, metadata } = input as unknown as SlackMessage;
        messages.push({ ts, channel, text, blocks, metadata, edits: 0 });
        return { ok: true, ts, channel };
      }
      case "chat.update": {
        const message = messages.find(({ ts }) => ts === input.ts);
        if (message === undefined) return { ok: false, error: "message_not_found" };
        message.text = String(input.text);
        message.blocks = input.blocks as SlackMessage["blocks"];
        message.edits += 1;
        return { ok: true, ts: message.ts };
      }
      default:
        return { ok: false, error: "unknown_method" };
    }
  };

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request, self) {
      const { pathname } = new URL(request.url);
      if (pathname === "/link") return self.upgrade(request) ? undefined : new Response("", { status: 400 });
      const method = pathname.replace("/api/", "");
      calls.push(method);
      const failure = failures.get(method);
      if (failure !== undefined && failure.times > 0) {
        failure.times -= 1;
        if (failure.after) await perform(method, request);
        return failure.answer();
      }
      return Response.json(await perform(method, request));
    },
    websocket: {
      open(socket) {
        links += 1;
        newest = socket;
        open.add(socket);
        socket.send(JSON.stringify({ type: "hello", num_connections: open.size, connection_info: {} }));
      },
      message(_socket, data) {
        acknowledged.push(String((JSON.parse(String(data)) as { envelope_id: unknown }).envelope_id));
      },
      close(socket) {
        open.delete(socket);
      },
    },
  });

  const slack: SlackStandIn = {
    api: `http://127.0.0.1:${server.port}/api/`,
    messages,
    acknowledged,
    calls,
    get links() {
      return links;
    },
    isShared: false,
    fail(method, answer, { after = false, times = 1 } = {}) {
      failures.set(method, { answer, after, times });
    },
    async linked(wanted = 1) {
      await eventually(
        async () => links,
        (seen) => seen >= wanted && open.size > 0,
        60_000,
      );
    },
    envelope(message, { verb, user = "U0APPROVER", team = "T0TEAM", channel, value, envelope }) {
      return {
        envelope_id: envelope ?? crypto.randomUUID(),
        type: "interactive",
        accepts_response_payload: false,
        payload: {
          type: "block_actions",
          team: { id: "T0TEAM", domain: "test" },
          user: { id: user, username: "somebody", team_id: team },
          channel: { id: channel ?? message.channel, name: "ops" },
          message: { ts: message.ts },
          actions: [
            {
              type: "button",
              action_id: `iddio_${verb}`,
              block_id: "iddio",
              value: value ?? cardValue(message),
            },
          ],
        },
      };
    },
    send(...envelopes) {
      for (const each of envelopes) newest?.send(JSON.stringify(each));
    },
    click(message, options) {
      slack.send(slack.envelope(message, options));
    },
    refresh(reason = "refresh_requested") {
      newest?.send(JSON.stringify({ type: "disconnect", reason, debug_info: {} }));
    },
    drop() {
      for (const each of open) each.terminate();
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  return slack;
}

/** The value of a card's buttons; "" for a card without buttons. */
export function cardValue({ blocks }: SlackMessage): string {
  const actions = blocks.find(({ type }) => type === "actions")?.elements as { value: string }[] | undefined;
  return actions?.[0]?.value ?? "";
}

/** The labels of the buttons of a card. */
export function buttonsOf({ blocks }: SlackMessage): readonly string[] {
  const actions = blocks.find(({ type }) => type === "actions")?.elements as
    | { action_id: string }[]
    | undefined;
  return (actions ?? []).map(({ action_id }) => action_id);
}
