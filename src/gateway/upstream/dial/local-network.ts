// Since macOS 15 a background program reaches the local network only if the user has allowed it; a
// refusal looks like a host that is not there. Programs in a terminal are exempt, so the same
// address works without iddio. Says which addresses that is about: those of a local interface's own
// subnet. Loopback, VPNs and routed networks are not.

import { BlockList, isIP } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";

/** The error text for an upstream that macOS keeps the daemon from; doctor looks for it in the audit log. */
export const LOCAL_NETWORK_REFUSED = "is on the local network, which macOS has not allowed iddio-daemon";

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Whether the address is a neighbour: in the subnet of an interface that is neither loopback nor a tunnel. */
export function isOnLocalNetwork(address: string, interfaces: Interfaces = networkInterfaces()): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  const neighbours = new BlockList();
  for (const [name, addresses = []] of Object.entries(interfaces)) {
    if (/^(?:utun|ipsec|ppp|gif|stf|tun|tap)/.test(name)) continue;
    for (const { cidr, internal, family: kind } of addresses) {
      if (internal || cidr === null || kind !== `IPv${family}`) continue;
      const [network = "", bits = ""] = cidr.split("/");
      // A single address is no network.
      if (Number(bits) < (family === 4 ? 32 : 128))
        neighbours.addSubnet(network, Number(bits), family === 4 ? "ipv4" : "ipv6");
    }
  }
  return neighbours.check(address, family === 4 ? "ipv4" : "ipv6");
}
