// A real SMTP server for the tests: Python's aiosmtpd with TLS from the first byte and a password,
// in a process of its own.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../support/eventually.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const PYTHON = "/usr/bin/python3";

/** A mail as it was taken. */
export interface TakenMail {
  readonly user: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
}

const SCRIPT = `
import asyncio, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = {"user": session.auth_data.login.decode(), "from": envelope.mail_from, "to": envelope.rcpt_tos,
                "text": envelope.content.decode("utf8", "replace")}
        print(json.dumps(mail), flush=True)
        return "250 taken"

def authenticate(server, session, envelope, mechanism, data):
    ok = isinstance(data, LoginPassword) and data.login == b"iddio" and data.password == b"correct-horse"
    return AuthResult(success=ok, handled=False, auth_data=data)

context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[1], sys.argv[2])

async def main():
    factory = lambda: SMTP(Handler(), authenticator=authenticate, auth_required=True, auth_require_tls=False)
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
`;

/** Whether it can be started here. CI demands it. */
export function hasSmtpServer(): boolean {
  const { exitCode } = Bun.spawnSync([PYTHON, "-c", "import aiosmtpd"], {
    stdout: "ignore",
    stderr: "ignore",
  });
  if (exitCode !== 0 && process.env.IDDIO_REQUIRE_CLIENTS === "1")
    throw new Error("python3-aiosmtpd is missing");
  return exitCode === 0;
}

/** Starts it; `await using` ends it. */
export async function startSmtpServer() {
  await using own = new AsyncDisposableStack();
  const folder = own.use(await temporaryDirectory()).path;
  const [cert, key, script] = ["cert.pem", "key.pem", "server.py"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const made = Bun.spawnSync(
    [
      ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
      ...["-keyout", key, "-out", cert],
    ],
    { stderr: "pipe" },
  );
  if (made.exitCode !== 0) throw new Error(made.stderr.toString());
  await writeFile(script, SCRIPT);
  const child = Bun.spawn([PYTHON, script, cert, key], { stdout: "pipe", stderr: "pipe" });
  own.defer(() => {
    child.kill();
  });
  const lines: string[] = [];
  void (async () => {
    let rest = "";
    for await (const chunk of child.stdout) {
      rest += Buffer.from(chunk).toString("utf8");
      const whole = rest.split("\n");
      rest = whole.pop() ?? "";
      lines.push(...whole);
    }
  })();
  const first = await eventually(
    async () => (child.exitCode === null ? lines[0] : "ended"),
    (line) => line !== undefined,
    60_000,
  );
  if (first === "ended") throw new Error(await new Response(child.stderr).text());
  const held = own.move();
  return {
    port: Number(first),
    caPem: await Bun.file(cert).text(),
    /** Resolves once so many were taken. */
    mails: (count: number) =>
      eventually(
        async () => lines.slice(1).map((line) => JSON.parse(line) as TakenMail),
        (all) => all.length >= count,
        60_000,
      ),
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  };
}
