// Proves from inside the network namespace, before the agent starts, that there is no way out but
// the bridge: only the loopback interface exists, a port that is not served is refused, and so is
// QUIC.

import { procText } from "../../../host/sandbox/libc.ts";
import type { BridgeSpec } from "./spec.ts";

/** An address of the Internet; nothing is sent there unless the sandbox is broken. */
const OUTSIDE = "192.0.2.1";
const UNSERVED = [22, 25, 5432, 8080];
const WAIT_MS = 1_000;

/** Says in a clause what is wrong; undefined when the network is closed. */
export async function networkProblem(
  spec: Pick<BridgeSpec, "ports" | "proxyPorts" | "localPorts">,
): Promise<string | undefined> {
  const devices = procText("/proc/net/dev");
  if (devices === undefined) return "its network interfaces cannot be listed";
  const interfaces = devices
    .split("\n")
    .slice(2)
    .map((line) => line.split(":")[0]?.trim() ?? "")
    .filter((name) => name !== "" && !isTemplate(name));
  if (interfaces.join() !== "lo") return `it has the network interfaces ${interfaces.join(", ")}`;
  const served = new Set([...spec.ports, ...spec.proxyPorts, ...spec.localPorts]);
  const port = UNSERVED.find((each) => !served.has(each));
  if (port !== undefined && !(await isRefused(port))) return `port ${port} of ${OUTSIDE} is not refused`;
  if (!(await isUdpRefused(443))) return `UDP to port 443 of ${OUTSIDE} is not refused`;
  return undefined;
}

/** Some kernels show the templates of tunnels in every namespace; they are down and lead nowhere. */
function isTemplate(name: string): boolean {
  return /^(?:tunl|gre|gretap|erspan|sit|ip6tnl|ip6gre|ip_vti|ip6_vti)0$/.test(name);
}

async function isRefused(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: OUTSIDE, port, socket: { data() {} } });
    socket.end();
    return false;
  } catch (error) {
    return ["ECONNREFUSED", "ENETUNREACH"].includes(String((error as { code?: unknown }).code));
  }
}

async function isUdpRefused(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const open = async () =>
    Bun.udpSocket({
      connect: { hostname: OUTSIDE, port },
      socket: { data: () => resolve(false), error: () => resolve(true) },
    });
  // Without a route it cannot even be made.
  const socket = await open().catch(() => undefined);
  if (socket === undefined) return true;
  try {
    socket.send("x");
  } catch {
    return true;
  }
  const timer = setTimeout(() => resolve(false), WAIT_MS);
  const isClosed = await promise;
  clearTimeout(timer);
  socket.close();
  return isClosed;
}
