// A client of MCP that writes lines as it is told, well-formed or not, to the compiled `iddio mcp
// run`.

import { builtBinary } from "../built-binary.ts";
import { eventually } from "../eventually.ts";
import type { GatewayProcess } from "../gateway.ts";

/** A message of a server. */
export type Line = Readonly<Record<string, unknown>> & {
  readonly id?: unknown;
  readonly method?: string;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string };
  readonly params?: Readonly<Record<string, unknown>>;
};

/** A wrapper that runs. */
export interface LineClient extends AsyncDisposable {
  readonly pid: number;
  /** Writes a line as it is. */
  write(line: string): void;
  /** Sends a request and waits for its answer. */
  ask(method: string, params?: object, id?: string | number): Promise<Line>;
  /** Every line so far. */
  readonly lines: readonly Line[];
  /** The first line that fits; waits for it. */
  line(fits: (line: Line) => boolean): Promise<Line>;
}

/** Starts `iddio mcp run` and shakes hands. */
export async function startLines(
  gateway: GatewayProcess,
  name: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<LineClient> {
  const child = Bun.spawn([builtBinary(), "mcp", "run", "--name", name, "--", ...command], {
    env: { PATH: process.env.PATH ?? "", HOME: gateway.home, IDDIO_HOME: gateway.home, ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  const lines: Line[] = [];
  const reading = (async () => {
    let rest = "";
    const text = new TextDecoder();
    for await (const chunk of child.stdout) {
      rest += text.decode(chunk, { stream: true });
      const parts = rest.split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) lines.push(JSON.parse(part) as Line);
    }
  })();
  const line = async (fits: (line: Line) => boolean) => {
    const found = await eventually(
      async () => lines.find(fits),
      (each) => each !== undefined,
    );
    if (found === undefined) throw new Error("unreachable");
    return found;
  };
  let next = 1_000_000;
  const write = (text: string) => {
    child.stdin.write(`${text}\n`);
    child.stdin.flush();
  };
  const ask = (method: string, params: object = {}, id: string | number = next++) => {
    write(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return line((each) => each.id === id && each.method === undefined);
  };
  await ask("initialize", {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "t", version: "1" },
  });
  write('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  return {
    pid: child.pid,
    write,
    ask,
    lines,
    line,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await child.exited;
      await reading;
    },
  };
}

/** The text of a tool's result. */
export function textOf(line: Line): string {
  return String((line.result?.content as { text?: string }[] | undefined)?.[0]?.text ?? "");
}
