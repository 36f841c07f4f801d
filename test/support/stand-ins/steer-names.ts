// Loaded into the gateway's own process by BUN_OPTIONS, before any of it runs: every name resolves
// to loopback, and what is dialled there on port 443 is the stand-in. So clients use the vendors'
// real names and ports, the compiled program runs as it is shipped, and nothing can leave the
// machine. Must not import what it changes: an import statement would fix the exports before they
// are changed.

const LOOPBACK = "127.0.0.1";
const port = Number(process.env.IDDIO_TEST_STAND_IN);

const dns: { lookup: unknown } = process.getBuiltinModule("node:dns/promises");
dns.lookup = () => Promise.resolve([{ address: LOOPBACK, family: 4 }]);

interface Destination {
  readonly host?: string;
  readonly hostname?: string;
  readonly port?: number | string;
}

/** The gateway dials by node:tls or by Bun's own sockets. */
function steer(owner: { connect: unknown }): void {
  const connect = owner.connect as (options: Destination, ...rest: unknown[]) => unknown;
  owner.connect = (options: Destination, ...rest: unknown[]) => {
    const isSteered = (options.hostname ?? options.host) === LOOPBACK && Number(options.port) === 443;
    return connect.call(owner, isSteered ? { ...options, port } : options, ...rest);
  };
}

steer(process.getBuiltinModule("node:tls"));
steer(Bun);
