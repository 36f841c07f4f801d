// The cost of recording: one stream of `kubectl exec` through the compiled program with content,
// with lengths alone and without a recording. What counts is the processor time of the daemon: the
// time that a stream takes is that of kubectl and of the cluster, which are on this machine too.

import { findClient } from "../../test/support/clients.ts";
import { startCluster } from "../../test/support/cluster/cluster.ts";
import { kubeconfigText } from "../../test/support/cluster/kubeconfig-text.ts";
import { startGatewayProcess } from "../../test/support/gateway.ts";
import type { Section } from "../bench.ts";
import { processorMs } from "../process-usage.ts";
import { median } from "../series.ts";

const MEBIBYTES = { quick: 24, whole: 48 };
const HOWS = ["off", "metadata", "full"] as const;
const POLICY = `
kubectl:
  inspect: ["*.invalid"]
  default: escalate
  groups:
    all: { tiers: [observe, modify, sensitive, break-glass] }
  rules:
    allow: { groups: [all] }
`;

const COMMANDS = {
  down: (bytes: number) => `"$0" exec api -n payments -- head -c ${bytes} /dev/urandom > /dev/null`,
  up: (bytes: number) =>
    `head -c ${bytes} /dev/urandom | "$0" exec -i api -n payments -- sh -c 'cat > /dev/null'`,
};
type Way = keyof typeof COMMANDS;

/** Processor time of a recorded stream beside one that is not recorded. */
export const recordingSection: Section = {
  name: "recording",
  summary: "processor time of the daemon for a stream of kubectl exec, recorded and not",
  async run({ report, isQuick, rounds }) {
    const kubectl = findClient("kubectl");
    if (kubectl === undefined) return report.write("  not measured: kubectl is not here");
    await using stack = new AsyncDisposableStack();
    const cluster = stack.use(await startCluster());
    const gateways = await Promise.all(
      HOWS.map(async (how) => {
        const settings = `record_sessions: ${how}\n`;
        const gateway = stack.use(await startGatewayProcess({ policy: POLICY, settings }));
        return { how, gateway, kubeconfig: await gateway.overlay(kubeconfigText(cluster, "token")) };
      }),
    );
    const bytes = (isQuick ? MEBIBYTES.quick : MEBIBYTES.whole) * 1024 * 1024;
    const series = new Map<string, { cpu: number[]; wall: number[] }>();
    // One round to warm up; the ways alternate, so that what else the machine does falls on all alike.
    for (let round = 0; round <= rounds; round += 1)
      for (const { how, gateway, kubeconfig } of gateways)
        for (const way of ["down", "up"] as const) {
          const before = processorMs(gateway.pid) ?? 0;
          const started = performance.now();
          await carry(kubectl, COMMANDS[way](bytes), { HOME: gateway.home, KUBECONFIG: kubeconfig });
          const wall = performance.now() - started;
          await gateway.control.call("sessions_list", {});
          const seen = series.get(`${way} ${how}`) ?? { cpu: [], wall: [] };
          series.set(`${way} ${how}`, seen);
          if (round === 0) continue;
          seen.cpu.push((processorMs(gateway.pid) ?? 0) - before);
          seen.wall.push(wall);
        }
    const cpu = (way: Way, how: string) => median(series.get(`${way} ${how}`)?.cpu ?? []);
    const wall = (way: Way, how: string) => median(series.get(`${way} ${how}`)?.wall ?? []);
    report.table([
      [`${bytes / 1024 / 1024} MiB`, ...HOWS.flatMap((how) => [`${how}, cpu ms`, "wall ms"])],
      ...(["down", "up"] as const).map((way) => [
        way,
        ...HOWS.flatMap((how) => [cpu(way, how).toFixed(0), wall(way, how).toFixed(0)]),
      ]),
    ]);
    for (const way of ["down", "up"] as const)
      report.bar({
        what: `time of exec ${way}, full / not recorded`,
        value: wall(way, "full") / wall(way, "off"),
        limit: 1.05,
        wants: "at most",
      });
    for (const way of ["down", "up"] as const)
      for (const how of ["metadata", "full"] as const)
        report.bar({
          what: `processor time of exec ${way}, ${how} / not recorded`,
          value: cpu(way, how) / cpu(way, "off"),
          limit: LIMITS[how],
          wants: "at most",
        });
  },
};

/** A hash of everything and, in full, a third more octets on the disk than went over the wire cannot be had for less. */
const LIMITS = { metadata: 1.25, full: 1.6 };

async function carry(kubectl: string, command: string, env: Record<string, string>): Promise<void> {
  const child = Bun.spawn(["sh", "-c", command, kubectl], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) throw new Error(`kubectl failed: ${command}`);
}
