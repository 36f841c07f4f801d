// The time that `iddio run` adds: to the start of a program, and to bytes through the proxy; and
// how long a hook takes. As an unprivileged user, with the compiled program, against the same
// program or transfer without the sandbox.

import { hookAdapter } from "../../src/features/hooks/agents/adapters.ts";
import { noSandbox, type Sandbox, startSandbox } from "../../test/support/sandbox/sandbox.ts";
import type { Section } from "../bench.ts";
import { median } from "../series.ts";

const STARTS = { quick: 7, whole: 21 };
const MEGABYTES = { quick: 256, whole: 1024 };
const BLOCK = new Uint8Array(1 << 20);

/** Start, hook and bytes of `iddio run`. */
export const runSection: Section = {
  name: "run",
  summary: "iddio run: what it adds to a start, to bytes through the proxy, and a hook's answer",
  async run({ report, isQuick }) {
    const why = noSandbox();
    if (why !== undefined) return report.write(`  not measured: ${why}`);
    await using sandbox = await startSandbox({ policy: "kubectl:\n  inspect: []\n  default: deny\n" });
    const times = isQuick ? STARTS.quick : STARTS.whole;
    const timed = async (argv: readonly string[], input?: string) => {
      const started = performance.now();
      const child = Bun.spawn([...sandbox.asUser, ...argv], {
        env: { ...sandbox.env },
        cwd: sandbox.project,
        stdin: input === undefined ? "ignore" : new TextEncoder().encode(input),
        stdout: "ignore",
        stderr: "ignore",
      });
      await child.exited;
      return performance.now() - started;
    };
    const question = (command: string) => JSON.stringify(hookAdapter("claude").sample(command, "/"));
    const { binary } = sandbox;
    const cases: Readonly<Record<string, () => Promise<number>>> = {
      "/bin/true": () => timed(["/bin/true"]),
      "iddio --version": () => timed([binary, "--version"]),
      "iddio run -- /bin/true": () => timed([binary, "run", "--", "/bin/true"]),
      "hook, harmless": () => timed([binary, "hook", "claude"], question("ls -la")),
      "hook, denied": () => timed([binary, "hook", "claude"], question("kubectl delete pod x")),
    };
    const series = new Map(Object.keys(cases).map((name) => [name, [] as number[]]));
    // One round to warm up; the cases alternate, so that what else the machine does falls on all alike.
    for (let round = 0; round <= times; round += 1)
      for (const [name, run] of Object.entries(cases)) {
        const ms = await run();
        if (round > 0) series.get(name)?.push(ms);
      }
    const ms = (name: string) => median(series.get(name) ?? []);
    const down = await withoutDaemon(sandbox, times, () =>
      timed([binary, "hook", "claude"], question("ls -la")),
    );
    report.table([
      ["", "ms"],
      ...[...series.keys()].map((name) => [name, ms(name).toFixed(1)]),
      ["hook, no daemon", down.toFixed(1)],
    ]);
    report.bar({
      what: "iddio run adds",
      value: ms("iddio run -- /bin/true") - ms("/bin/true"),
      limit: 100,
      wants: "at most",
      unit: " ms",
    });
    report.bar({
      what: "a hook answers in",
      value: ms("hook, denied") - ms("/bin/true"),
      limit: 50,
      wants: "at most",
      unit: " ms",
    });
    report.bar({
      what: "a hook without a daemon answers in",
      value: down - ms("/bin/true"),
      limit: 50,
      wants: "at most",
      unit: " ms",
    });
    const [plain, bridged] = await bytes(sandbox, isQuick ? MEGABYTES.quick : MEGABYTES.whole);
    report.table([
      ["", "MB/s"],
      ["through the proxy", (plain / 1e6).toFixed(0)],
      ["through a run's bridge and the proxy", (bridged / 1e6).toFixed(0)],
    ]);
    report.bar({
      what: "throughput of a run / of the proxy",
      value: bridged / plain,
      limit: 0.65,
      wants: "at least",
    });
  },
};

async function withoutDaemon(sandbox: Sandbox, times: number, run: () => Promise<number>): Promise<number> {
  await sandbox.kill();
  const all: number[] = [];
  for (let round = 0; round < times; round += 1) all.push(await run());
  await sandbox.restart();
  return median(all);
}

/** Bytes a second of one transfer, outside and in a run. */
async function bytes(
  sandbox: Sandbox,
  megabytes: number,
): Promise<readonly [plain: number, bridged: number]> {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            for (let sent = 0; sent < megabytes; sent += 1) {
              controller.enqueue(BLOCK);
              await Bun.sleep(0);
            }
            controller.close();
          },
        }),
      ),
  });
  const get = `curl -s -o /dev/null -w '%{speed_download}'`;
  const url = `http://127.0.0.1:${server.port}/`;
  const proxy = `http://127.0.0.1:${sandbox.proxyPort}`;
  const rates: [number[], number[]] = [[], []];
  for (let round = 0; round < 4; round += 1) {
    const outside = await sandbox.outside(["/bin/sh", "-c", `${get} -p -x ${proxy} ${url}`]);
    const inside = await sandbox.inside(`${get} ${url}`, { flags: ["--local-port", String(server.port)] });
    if (round === 0) continue;
    rates[0].push(Number(outside.stdout));
    rates[1].push(Number(inside.stdout));
  }
  await server.stop(true);
  return [median(rates[0]), median(rates[1])];
}
