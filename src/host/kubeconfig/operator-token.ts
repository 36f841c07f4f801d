// The operator's own token for a cluster, as the kubeconfig gives it: written there, in a file, or
// from an exec plugin. It is read when it is needed and kept nowhere. A plugin is a program that
// the daemon starts: only one that nobody but root can change, and only as it was called when a
// person agreed to it.

import { createHash } from "node:crypto";
import { UserError } from "../../model/user-error.ts";
import { readTrusted } from "../../state/trusted-file.ts";
import type { Environment } from "../process/environment.ts";
import { runTool } from "../process/run-tool.ts";
import { findSystemTool, isRootsAlone } from "../process/system-tool.ts";
import { type KubeconfigFields, kubeconfigUser } from "./kubeconfig.ts";

/** A user of a kubeconfig. */
export interface OperatorUser {
  /** Absolute. */
  readonly file: string;
  readonly user: string;
  /** Hash of the exec plugin's stanza when it was agreed to; "" when there was none. */
  readonly plugin: string;
}

/** A token, and when it ends where it says so. */
export interface OperatorToken {
  readonly text: string;
  readonly endMs?: number;
}

const MAX_BYTES = 16 * 1024 * 1024;
const PLUGIN_MS = 30_000;

/** Reads it. Throws a `UserError` that quotes no secret. */
export async function operatorToken(of: OperatorUser, env: Environment): Promise<OperatorToken> {
  const fields = await fieldsOf(of, env);
  const { token, tokenFile } = fields;
  if (typeof token === "string" && token !== "") return { text: printable(token, of) };
  if (typeof tokenFile === "string" && tokenFile !== "")
    return { text: printable(await read(tokenFile, env), of) };
  if (fields.exec === undefined)
    throw unusable(of, "it has no token, no token file and no exec plugin that iddio could use");
  if (digestOf(fields.exec) !== of.plugin)
    throw unusable(of, "its exec plugin is called differently now than when it was agreed to");
  return runPlugin(of, fields.exec as KubeconfigFields, env);
}

/** Hash of the exec plugin's stanza of a user, "" for none. Throws a `UserError` when the plugin may not be run. */
export async function operatorPlugin(of: Omit<OperatorUser, "plugin">, env: Environment): Promise<string> {
  const { token, tokenFile, exec } = await fieldsOf(of, env);
  if (token || tokenFile || exec === undefined) return "";
  pluginProgram(of, exec as KubeconfigFields, env);
  return digestOf(exec);
}

async function fieldsOf(
  of: Pick<OperatorUser, "file" | "user">,
  env: Environment,
): Promise<KubeconfigFields> {
  const fields = await kubeconfigUser(of.file, of.user, (path) => read(path, env));
  if (fields === undefined) throw unusable(of, "it is not there any more");
  return fields;
}

function read(path: string, { IDDIO_OWNER }: Environment): Promise<string> {
  return readTrusted(path, MAX_BYTES, IDDIO_OWNER ? Number(IDDIO_OWNER) : undefined).catch(
    (error: unknown) => {
      throw new UserError(error instanceof Error ? error.message : String(error), {
        hint: "the kubeconfig and the files that it names must be yours, and nobody else may change them",
      });
    },
  );
}

function pluginProgram(
  of: Pick<OperatorUser, "file" | "user">,
  exec: KubeconfigFields,
  env: Environment,
): string {
  const command = typeof exec.command === "string" ? exec.command : "";
  const program = command.includes("/") ? command : findSystemTool(command, env);
  if (program !== undefined && isRootsAlone(program)) return program;
  throw unusable(of, `other users than root can change its exec plugin '${command}'`);
}

async function runPlugin(of: OperatorUser, exec: KubeconfigFields, env: Environment): Promise<OperatorToken> {
  const program = pluginProgram(of, exec, env);
  const args = Array.isArray(exec.args) ? exec.args.map(String) : [];
  const own = Array.isArray(exec.env) ? exec.env : [];
  const apiVersion =
    typeof exec.apiVersion === "string" ? exec.apiVersion : "client.authentication.k8s.io/v1";
  const { code, stdout, stderr } = await runTool([program, ...args], {
    env: {
      ...env,
      ...Object.fromEntries(
        own.map(({ name, value }: Record<string, unknown>) => [String(name), String(value)]),
      ),
      KUBERNETES_EXEC_INFO: JSON.stringify({
        apiVersion,
        kind: "ExecCredential",
        spec: { interactive: false },
      }),
    },
    timeoutMs: PLUGIN_MS,
  });
  if (code !== 0)
    throw unusable(of, `its exec plugin failed: ${stderr.replace(/\s+/g, " ").trim().slice(0, 200)}`);
  try {
    const { status } = JSON.parse(stdout) as {
      status?: { token?: unknown; expirationTimestamp?: unknown };
    };
    if (typeof status?.token === "string" && status.token !== "") {
      const endMs = Date.parse(String(status.expirationTimestamp));
      return { text: printable(status.token, of), ...(Number.isNaN(endMs) ? {} : { endMs }) };
    }
  } catch {
    // The plugin's output may hold a token, so the error quotes none of it.
  }
  throw unusable(of, "its exec plugin gave no token");
}

function printable(text: string, of: Pick<OperatorUser, "file" | "user">): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw unusable(of, "its token is not one word of printable text");
}

function digestOf(exec: unknown): string {
  return createHash("sha256").update(JSON.stringify(exec)).digest("hex");
}

function unusable({ file, user }: Pick<OperatorUser, "file" | "user">, why: string): UserError {
  return new UserError(`user '${user}' of '${file}' cannot be used: ${why}`, {
    hint: "iddio mints with your own credential of the cluster: a token, a token file, a client certificate or a plugin of the system",
  });
}
