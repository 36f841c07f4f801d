// `iddio server`: the control plane in the foreground, and what its operator does to its database.
// All that is known here of the server is where its database is and how it is reached.

import { UserError } from "../../../model/user-error.ts";
import type { Command, CommandContext, FlagSpec } from "../../kit/command.ts";

/** Where the database is. */
export const DATABASE_FLAGS: readonly FlagSpec[] = [
  { name: "database", value: "url", summary: "PostgreSQL, instead of DATABASE_URL" },
  {
    name: "data",
    value: "folder",
    completes: "file",
    summary: "Folder of the embedded database (default ~/.iddio/server)",
  },
  {
    name: "secret-file",
    value: "file",
    completes: "file",
    summary: "Secret that seals keys, 32 bytes in base64 (default: server.key in the folder)",
  },
];

const LISTEN = "127.0.0.1:8766";

/** Runs the control plane until SIGINT or SIGTERM. */
export const serverCommand: Command = {
  name: "server",
  summary: "Run the control plane for a fleet of gateways",
  flags: [
    { name: "listen", value: "host:port", summary: `Address to listen on (default ${LISTEN})` },
    ...DATABASE_FLAGS,
    { name: "domain", value: "name", summary: "Tenants are hosts below it: acme.<domain>" },
    { name: "tenant-paths", summary: "Tenants share one host: <public-url>/t/acme/" },
    { name: "public-url", value: "url", summary: "Where people reach a server without a domain" },
    { name: "tls-cert", value: "file", completes: "file", summary: "PEM certificate chain" },
    { name: "tls-key", value: "file", completes: "file", summary: "PEM private key" },
    {
      name: "behind-proxy",
      summary: "A proxy in front speaks TLS, and nothing else reaches this port",
    },
    { name: "private-targets", summary: "Slack, webhooks and mail servers may be in private networks" },
    { name: "keep-audit", value: "duration", kind: "duration", summary: "Drop audit rows after this time" },
  ],
  details: [
    "Without DATABASE_URL it runs on a database of its own, for a trial: one process,",
    "and about 300 MB of memory. IDDIO_METRICS_TOKEN opens /metrics to others than",
    "this machine; IDDIO_OWNER_DATABASE_URL is the role that owns the tables.",
  ],
  examples: [
    "iddio server",
    "iddio server --domain iddio.example.com --behind-proxy",
    "iddio server --tenant-paths --public-url https://iddio.example.com",
  ],
  async run(context) {
    const { flags, output, env, paths, interrupted } = context;
    const listen = await listenOf(flags.text("listen") ?? LISTEN);
    const tls = await tlsOf(context);
    const isLocal = ["127.0.0.1", "::1", "localhost"].includes(listen.host);
    const isBehindProxy = flags.has("behind-proxy");
    if (!isLocal && tls === undefined && !isBehindProxy)
      throw new UserError("without TLS the server listens on this machine only", {
        hint: "--tls-cert and --tls-key, or --behind-proxy",
      });
    const domain = flags.text("domain");
    const byPath = flags.has("tenant-paths");
    if (domain !== undefined && byPath)
      throw new UserError("a tenant is named by its host or by its path, not by both", {
        exitCode: 2,
        hint: "--domain or --tenant-paths",
      });
    const signal = interrupted();
    const { openServerDatabase, databasePlace } = await import("../../../server/open-database.ts");
    const place = databasePlace((name) => flags.text(name), env, paths);
    if (place.url === undefined)
      output.note(`no DATABASE_URL: a trial on the embedded database in ${place.folder}`);
    await using opened = await openServerDatabase(place, paths, false);
    const { ensureTenant } = await import("../../../server/tenants.ts");
    if (domain === undefined && !byPath) await ensureTenant(opened.database, opened.sealer, Date.now());
    const { startServer } = await import("../../../server/server.ts");
    const { serverPage } = await import("../../../server/ui/server-page.ts");
    const publicUrl = flags.text("public-url");
    const metricsToken = env.IDDIO_METRICS_TOKEN;
    const keepAuditMs = flags.durationMs("keep-audit");
    const server = await startServer({
      database: opened.database,
      sealer: opened.sealer,
      hostname: listen.host,
      port: listen.port,
      ...(domain === undefined ? {} : { domain }),
      byPath,
      ...(publicUrl === undefined ? {} : { publicUrl: new URL(publicUrl).origin }),
      ...(tls === undefined ? {} : { tls }),
      isBehindProxy,
      reachPrivate: flags.has("private-targets"),
      ...(metricsToken === undefined || metricsToken === "" ? {} : { metricsToken }),
      ...(keepAuditMs === undefined ? {} : { keepAuditMs }),
      page: serverPage,
      log: (event, fields = {}) =>
        void process.stderr.write(
          `${JSON.stringify({ time: new Date().toISOString(), event, ...fields })}\n`,
        ),
    });
    output.note(`the control plane listens on ${server.url}; Ctrl-C ends it`);
    if (byPath) output.note(`each tenant is at ${server.url}/t/<name>/`);
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await server.stop();
  },
};

/** Brings the database to the schema of this program. */
export const serverMigrateCommand: Command = {
  name: "server migrate",
  summary: "Bring the control plane's database to the schema of this program",
  flags: [...DATABASE_FLAGS],
  details: [
    "Servers of the version before go on running: a step only adds things that they ignore.",
    "With IDDIO_OWNER_DATABASE_URL it runs as the role that owns the tables.",
  ],
  async run({ flags, output, env, paths }) {
    const { openServerDatabase, databasePlace } = await import("../../../server/open-database.ts");
    const place = databasePlace((name) => flags.text(name), env, paths);
    await using opened = await openServerDatabase(place, paths, true);
    const { schemaVersion } = await import("../../../server/database/migrate.ts");
    output.line(`the database is at step ${await schemaVersion(opened.database)}`);
  },
};

async function listenOf(text: string): Promise<{ readonly host: string; readonly port: number }> {
  const match = /^(?:\[([0-9a-f:]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port > 65_535)
    throw new UserError(`expected host:port, got '${text}'`, {
      exitCode: 2,
      hint: `--listen ${LISTEN}`,
    });
  return { host, port };
}

async function tlsOf({
  flags,
}: CommandContext): Promise<{ readonly cert: string; readonly key: string } | undefined> {
  const [cert, key] = [flags.text("tls-cert"), flags.text("tls-key")];
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new UserError("a certificate needs its key", { exitCode: 2, hint: "--tls-cert and --tls-key" });
  const { readFile } = await import("node:fs/promises");
  try {
    const [certPem, keyPem] = await Promise.all([readFile(cert, "utf8"), readFile(key, "utf8")]);
    return { cert: certPem, key: keyPem };
  } catch (error) {
    throw new UserError(`the certificate cannot be read: ${(error as Error).message}`, {
      hint: "check the paths",
      cause: error,
    });
  }
}
