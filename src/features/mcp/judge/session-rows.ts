// One session as `iddio mcp run` speaks it over the control socket: rows in, rows out. The client
// side reports its own decisions (a cancelled request, a client that no longer waits); everything
// else is the session's.

import type { RowSink } from "../../../api/handlers.ts";
import type { mcpAnswer, mcpQuestion } from "../../../api/methods/mcp.ts";
import type { Value } from "../../../api/schema.ts";
import type { Ending } from "../../../gateway/request/stages/stage.ts";
import { machineReadable } from "../../../protocols/refused.ts";
import { isObject } from "../../../wire/jsonrpc/message.ts";
import type { McpSession, Waiting } from "./session.ts";

/** A row of the client. */
export type RowQuestion = Value<typeof mcpQuestion>;
/** A row of the daemon. */
export type RowAnswer = Value<typeof mcpAnswer>;

/** Requests of one session that wait or are being done at once. */
const OPEN_MAX = 20_000;

/** Serves a session until its connection ends; waiting calls are then withdrawn. */
export function serveSession(session: McpSession, sink: RowSink<RowAnswer>): Promise<void> {
  const waiting = new Map<number, Waiting>();
  const going = new Map<number, (ending?: Ending) => void>();

  const judge = ({ id, method = "", params, exact }: RowQuestion) => {
    if (waiting.size + going.size >= OPEN_MAX || !isObject(params ?? {}))
      return sink.send({ id, say: "gone" });
    const handle = session.judge(
      { method, params: isObject(params) ? params : {}, ...(exact === undefined ? {} : { exact }) },
      {
        go: (ended) => {
          waiting.delete(id);
          going.set(id, ended);
          sink.send({ id, say: "go" });
        },
        refuse: (refusal) => {
          waiting.delete(id);
          const { reason } = refusal;
          sink.send({ id, say: "refuse", refusal: { ...machineReadable(refusal), reason } });
        },
      },
    );
    if (!going.has(id)) waiting.set(id, handle);
  };

  const learn = ({ id, kind = "tools", items = [], is_last }: RowQuestion) => {
    if (kind === "resources") {
      session.learnResources(items);
      return sink.send({ id, say: "shown", shown: items.map(() => true) });
    }
    sink.send({ id, say: "shown", shown: [...session.learn(kind, items, is_last === true)] });
  };

  sink.onRow((row) => {
    const question = row as RowQuestion;
    const { ask, id } = question;
    if (ask === "judge") judge(question);
    else if (ask === "learn") learn(question);
    else if (ask === "introduce") {
      const { title, version, instructions } = question;
      const said = {
        ...(title === undefined ? {} : { title }),
        ...(version === undefined ? {} : { version }),
        ...(instructions === undefined ? {} : { instructions }),
      };
      sink.send({ id, say: "shown", shown: [session.introduce(said)] });
    } else if (ask === "leave") waiting.get(id)?.leave();
    else if (ask === "park") {
      const parked = waiting.get(id)?.park();
      if (parked === undefined) return;
      waiting.delete(id);
      const { approvalId, state, url } = parked;
      sink.send({
        id,
        say: "parked",
        approval_id: approvalId,
        state,
        ...(url === undefined ? {} : { url }),
      });
    } else {
      const { failure } = question;
      going.get(id)?.(failure === undefined ? {} : { failure });
      going.delete(id);
    }
  });

  return new Promise((resolve) => {
    const over = () => {
      for (const handle of waiting.values()) handle.leave();
      for (const ended of going.values())
        ended({ failure: "the client went away before there was an answer; it may have been carried out" });
      resolve();
    };
    sink.signal.addEventListener("abort", over, { once: true });
    if (sink.signal.aborted) over();
  });
}
