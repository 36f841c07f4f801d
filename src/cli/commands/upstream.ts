// `iddio upstream …`: private CAs and client certificates of upstreams. A key is never copied, only
// the path of its file is kept.

import { resolve } from "node:path";
import { UserError } from "../../model/user-error.ts";
import { type Command, JSON_FLAG } from "../kit/command.ts";
import { parseHostPort } from "../kit/host-port.ts";

/** Registers a CA, and a client certificate if one is given, for one host and port. */
export const upstreamAddCommand: Command = {
  name: "upstream add",
  summary: "Trust a private CA for one host",
  args: [{ name: "host[:port]", completes: "host" }],
  flags: [
    {
      name: "ca",
      value: "file",
      completes: "file",
      summary: "PEM file of the CA that signed the host's certificate",
    },
    {
      name: "cert",
      value: "file",
      completes: "file",
      summary: "PEM file of a client certificate to present there",
    },
    { name: "key", value: "file", completes: "file", summary: "PEM file of its key" },
    JSON_FLAG,
  ],
  examples: [
    "iddio upstream add --ca corp-ca.pem git.corp.example",
    "iddio upstream add --ca ca.pem 10.0.0.7:6443",
  ],
  async run({ args, flags, output, daemon }) {
    const { host, port } = await parseHostPort(args[0] ?? "");
    const ca = flags.text("ca");
    const cert = flags.text("cert");
    const key = flags.text("key");
    if (ca === undefined)
      throw new UserError("'iddio upstream add' needs '--ca <file>'", {
        hint: "type: --ca ca.pem",
        exitCode: 2,
      });
    if ((cert === undefined) !== (key === undefined)) {
      throw new UserError("'--cert' needs '--key', and '--key' needs '--cert'", {
        hint: "give both or none",
        exitCode: 2,
      });
    }
    const { upstream } = await daemon.call("upstreams_add", {
      host,
      port,
      ca_pem: await readCertificates(ca),
      ...(cert === undefined ? {} : { certificate_path: await existing(cert) }),
      ...(key === undefined ? {} : { key_path: await existing(key) }),
      source: "manual",
    });
    if (flags.has("json")) output.json(upstream);
    else output.line(`added ${upstream.host}:${upstream.port}`);
  },
};

/** Lists the registered upstreams. */
export const upstreamListCommand: Command = {
  name: "upstream list",
  summary: "List the upstreams with a private CA",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const { upstreams } = await daemon.call("upstreams_list", {});
    if (flags.has("json")) return void output.json(upstreams);
    if (upstreams.length === 0) return void output.note("no upstream is registered");
    output.table(
      ["HOST", "PORT", "SOURCE", "CLIENT CERTIFICATE", "CA"],
      upstreams.map((each) => [
        each.host,
        String(each.port),
        each.source,
        each.certificate_path ?? "-",
        each.ca_fingerprint ?? "-",
      ]),
    );
  },
};

/** Forgets one; its host is verified by the system's roots again. */
export const upstreamRemoveCommand: Command = {
  name: "upstream remove",
  summary: "Forget an upstream's private CA",
  args: [{ name: "host[:port]", completes: "upstream" }],
  flags: [JSON_FLAG],
  async run({ args, flags, output, daemon }) {
    const { host, port } = await parseHostPort(args[0] ?? "");
    const { removed } = await daemon.call("upstreams_remove", { host, port });
    if (flags.has("json")) output.json({ removed });
    else if (removed) output.line(`removed ${host}:${port}`);
    else
      throw new UserError(`no upstream '${host}:${port}' is registered`, {
        hint: "see: iddio upstream list",
      });
    return removed ? 0 : 1;
  },
};

async function readCertificates(path: string): Promise<string> {
  const { readNamedFile } = await import("../../state/named-file.ts");
  const text = (await readNamedFile(path, { what: "" })).toString("utf8");
  if (!text.includes("-----BEGIN CERTIFICATE-----")) {
    throw new UserError(`'${path}' holds no PEM certificate`, {
      hint: "it must have a line '-----BEGIN CERTIFICATE-----'",
    });
  }
  return text;
}

async function existing(path: string): Promise<string> {
  const { readNamedFile } = await import("../../state/named-file.ts");
  await readNamedFile(path, { what: "" });
  return resolve(path);
}
