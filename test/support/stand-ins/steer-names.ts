// Loaded into the gateway's own process by BUN_OPTIONS, before any of it runs: every name resolves to loopback, and
// TLS to port 443 goes to the stand-in. So clients use the vendors' real names and ports, the compiled program runs
// as it is shipped, and nothing can leave the machine. Must not import what it changes: an import statement would
// fix the exports before they are changed.

import type { ConnectionOptions } from "node:tls";

const LOOPBACK = "127.0.0.1";
const port = Number(process.env.IDDIO_TEST_STAND_IN);

const dns: { lookup: unknown } = process.getBuiltinModule("node:dns/promises");
dns.lookup = () => Promise.resolve([{ address: LOOPBACK, family: 4 }]);

const { connect } = process.getBuiltinModule("node:tls");
const tls: { connect: unknown } = process.getBuiltinModule("node:tls");
tls.connect = (options: ConnectionOptions) =>
  connect(options.host === LOOPBACK && options.port === 443 ? { ...options, port } : options);
