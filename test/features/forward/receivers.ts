// Receivers of forwarded rows for the tests: an HTTP server that keeps what it got and answers as
// it is told, and a real rsyslog with TLS where it is installed.

import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { eventually } from "../../support/eventually.ts";

/** A request as it arrived, its body decoded. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** An HTTP receiver on loopback. */
export interface HttpReceiver extends AsyncDisposable {
  readonly origin: string;
  readonly received: Received[];
}

/** Answers each request by `answer`, 200 unless told. */
export function startHttpReceiver(
  answer: (request: Received, count: number) => Response = () => new Response("{}"),
): HttpReceiver {
  const received: Received[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const bytes = new Uint8Array(await request.arrayBuffer());
      const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
      const body = Buffer.from(isGzip ? gunzipSync(bytes) : bytes).toString("utf8");
      const { pathname, search } = new URL(request.url);
      const one = { method: request.method, path: pathname + search, headers: request.headers, body };
      received.push(one);
      return answer(one, received.length);
    },
  });
  return {
    origin: `http://127.0.0.1:${server.port}`,
    received,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** A real rsyslogd that writes what it gets to a file. */
export interface SyslogReceiver extends AsyncDisposable {
  readonly port: number;
  lines(): Promise<readonly string[]>;
}

/** The server, where Debian puts it; undefined when it is not installed. */
export function rsyslogd(): string | undefined {
  return ["/usr/sbin/rsyslogd", "/sbin/rsyslogd"].find((path) => existsSync(path));
}

/** Starts it with TLS on a free port, in `folder`. The certificate and key are PEM. */
export async function startRsyslog(
  program: string,
  folder: string,
  { cert, key }: { readonly cert: string; readonly key: string },
): Promise<SyslogReceiver> {
  await writeFile(join(folder, "cert.pem"), cert);
  await writeFile(join(folder, "key.pem"), key, { mode: 0o600 });
  const port = freePort();
  const output = join(folder, "received.log");
  const configuration = `
global(workDirectory="${folder}" maxMessageSize="64k" defaultNetstreamDriver="ossl"
  defaultNetstreamDriverCAFile="${folder}/cert.pem" defaultNetstreamDriverCertFile="${folder}/cert.pem"
  defaultNetstreamDriverKeyFile="${folder}/key.pem")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" port="${port}" address="127.0.0.1")
template(name="whole" type="string" string="%pri% %timestamp:::date-rfc3339% %hostname% %app-name% %procid% %msgid% %msg%\\n")
*.* action(type="omfile" file="${output}" template="whole" flushOnTXEnd="on")
`;
  await writeFile(join(folder, "rsyslog.conf"), configuration);
  const child = Bun.spawn(
    [program, "-n", "-f", join(folder, "rsyslog.conf"), "-i", join(folder, "rsyslog.pid")],
    {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    },
  );
  await eventually(
    async () => {
      const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } }).catch(
        () => undefined,
      );
      socket?.end();
      return socket !== undefined;
    },
    (isUp) => isUp,
    60_000,
  );
  return {
    port,
    lines: async () =>
      existsSync(output)
        ? (await Bun.file(output).text())
            .split("\n")
            .filter((line) => line.includes(" iddio ") && !line.includes(" rsyslogd "))
        : [],
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}

/** rsyslog cannot tell which port it got, so one is tried out first. */
function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}
