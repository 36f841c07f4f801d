// The little of Anthropic's Messages API that Claude Code needs to run commands: it asks for one
// after the other, takes each result and says that it is done. No account, no model.

/** The running stand-in. */
export interface AnthropicStandIn extends AsyncDisposable {
  readonly port: number;
  /** Claude Code's reports about the commands, as text. */
  readonly results: readonly string[];
}

interface Message {
  readonly role: string;
  readonly content: string | readonly { readonly type: string; readonly content?: unknown }[];
}

/** Serves on a free port of loopback; every conversation is asked to run these commands. */
export function startAnthropic(commands: readonly string[]): AnthropicStandIn {
  const results: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname !== "/v1/messages") return Response.json({ input_tokens: 1 });
      const {
        messages = [],
        tools = [],
        stream,
        model,
      } = (await request.json()) as {
        messages?: readonly Message[];
        tools?: readonly { readonly name: string }[];
        stream?: boolean;
        model: string;
      };
      const result = resultsIn(messages.slice(-1)).at(-1);
      if (result !== undefined) results.push(JSON.stringify(result));
      const command = commands[resultsIn(messages).length];
      const wantsTool = command !== undefined && tools.some(({ name }) => name === "Bash");
      const block = wantsTool
        ? {
            type: "tool_use",
            id: `toolu_${crypto.randomUUID()}`,
            name: "Bash",
            input: { command, description: "a test" },
          }
        : { type: "text", text: "done" };
      const message = {
        id: `msg_${crypto.randomUUID()}`,
        type: "message",
        role: "assistant",
        model,
        content: [block],
        stop_reason: wantsTool ? "tool_use" : "end_turn",
        stop_sequence: null,
        usage: { input_tokens: 1, output_tokens: 1 },
      };
      return stream === true ? streamed(message, block) : Response.json(message);
    },
  });
  return {
    port: server.port ?? 0,
    results,
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}

function resultsIn(messages: readonly Message[]) {
  return messages.flatMap(({ content }) =>
    typeof content === "object" ? content.filter(({ type }) => type === "tool_result") : [],
  );
}

function streamed(
  message: Readonly<Record<string, unknown>>,
  block: { readonly type: string; readonly text?: string; readonly input?: object },
): Response {
  const isTool = block.type === "tool_use";
  const events: readonly (readonly [string, object])[] = [
    ["message_start", { message: { ...message, content: [], stop_reason: null } }],
    [
      "content_block_start",
      { index: 0, content_block: isTool ? { ...block, input: {} } : { ...block, text: "" } },
    ],
    [
      "content_block_delta",
      {
        index: 0,
        delta: isTool
          ? { type: "input_json_delta", partial_json: JSON.stringify(block.input) }
          : { type: "text_delta", text: block.text },
      },
    ],
    ["content_block_stop", { index: 0 }],
    [
      "message_delta",
      { delta: { stop_reason: message.stop_reason, stop_sequence: null }, usage: { output_tokens: 1 } },
    ],
    ["message_stop", {}],
  ];
  const text = events
    .map(([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
    .join("");
  return new Response(text, { headers: { "content-type": "text/event-stream" } });
}
