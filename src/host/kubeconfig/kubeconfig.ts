// Reads the operator's kubeconfig the way kubectl does (a list of files merged, paths relative to
// the file that holds them) and says which clusters need what trust. Knows nothing of the daemon;
// the overlay for agents is made from the result by kubeconfig-overlay.ts. Never copies a private
// key: identities are references to files.

import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { parseAllDocuments } from "yaml";
import { UserError } from "../../model/user-error.ts";
import { errorCode } from "../../state/files.ts";
import { readNamedFile } from "../../state/named-file.ts";
import { shellWord } from "../../text/quote-posix.ts";
import { type ClusterServer, clusterServer } from "./cluster-server.ts";
import { OVERLAY_MARK, overlaySources } from "./overlay.ts";

const MAX_BYTES = 16 * 1024 * 1024;

/** The fields of a kubeconfig entry as they are in the file, relative paths made absolute. */
export type KubeconfigFields = Readonly<Record<string, unknown>>;

/** One named entry of `clusters`, `users` or `contexts`. */
export interface KubeconfigEntry {
  readonly name: string;
  readonly fields: KubeconfigFields;
  /** Absolute path of the file that it was read from. */
  readonly file: string;
}

/** Where a client certificate and its key are. */
export interface KubeconfigIdentity {
  /** Absolute path of the certificate, or of the kubeconfig that embeds it when `kubeconfigUser` is set. */
  readonly certificatePath: string;
  readonly keyPath?: string;
  readonly kubeconfigUser?: string;
}

/** One context with everything that reaching its server takes. */
export interface KubeconfigContext extends ClusterServer {
  readonly name: string;
  readonly context: KubeconfigEntry;
  readonly cluster: KubeconfigEntry;
  /** Absent when the context names no user. */
  readonly user?: KubeconfigEntry;
  /** Of the cluster's CA; "" when the kubeconfig names none, which means the system's roots. */
  readonly caPem: string;
  readonly serverName?: string;
  readonly identity?: KubeconfigIdentity;
}

/** A kubeconfig's contexts, as far as they could be read. */
export interface Kubeconfig {
  readonly contexts: readonly KubeconfigContext[];
  /** Contexts that were left out, each with the reason; none of them stops the others. */
  readonly unusable: readonly { readonly name: string; readonly reason: string }[];
  /** "" when none is current. */
  readonly currentContext: string;
  /** The files that were read, absolute. */
  readonly sources: readonly string[];
}

interface Lists {
  readonly clusters: Map<string, KubeconfigEntry>;
  readonly users: Map<string, KubeconfigEntry>;
  readonly contexts: Map<string, KubeconfigEntry>;
  currentContext: string;
  readonly sources: string[];
}

/**
 * Reads `KUBECONFIG` (a list of files; those that are missing are passed over) or `~/.kube/config`. With
 * `context` only that one. Where a listed file is an overlay that iddio wrote, the files that it was made
 * from are read instead. Throws a UserError for a file that cannot be read or must not be trusted.
 */
export async function readKubeconfig(
  env: Readonly<Record<string, string | undefined>>,
  options: { readonly context?: string | undefined } = {},
): Promise<Kubeconfig> {
  const files = kubeconfigFiles(env);
  const lists: Lists = {
    clusters: new Map(),
    users: new Map(),
    contexts: new Map(),
    currentContext: "",
    sources: [],
  };
  for (const file of files) await addFile(lists, file, true);
  if (lists.sources.length === 0)
    throw new UserError(`no kubeconfig found at '${files.join("', '")}'`, {
      hint: "set KUBECONFIG to yours, or create one with your cluster's own tool",
    });
  if (options.context !== undefined && !lists.contexts.has(options.context))
    throw new UserError(`no context '${options.context}' in '${lists.sources.join("', '")}'`, {
      hint: `it has: ${[...lists.contexts.keys()].join(", ") || "none"}`,
    });
  const chosen = [...lists.contexts.values()].filter(
    ({ name }) => options.context === undefined || name === options.context,
  );
  const contexts: KubeconfigContext[] = [];
  const failures: { readonly name: string; readonly error: UserError }[] = [];
  for (const entry of chosen) {
    const context = await readContext(lists, entry).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      failures.push({ name: entry.name, error });
      return undefined;
    });
    if (context !== undefined) contexts.push(context);
  }
  const [failure] = failures;
  if (contexts.length === 0 && failure !== undefined) throw failure.error;
  if (contexts.length === 0)
    throw new UserError(`no context with a cluster in '${lists.sources.join("', '")}'`, {
      hint: "see: kubectl config get-contexts",
    });
  const wanted = options.context ?? lists.currentContext;
  return {
    contexts,
    unusable: failures.map(({ name, error }) => ({ name, reason: error.message })),
    currentContext: failures.some(({ name }) => name === wanted) ? "" : wanted,
    sources: lists.sources,
  };
}

function kubeconfigFiles(env: Readonly<Record<string, string | undefined>>): string[] {
  const listed = (env.KUBECONFIG ?? "").split(":").filter((path) => path !== "");
  if (listed.length > 0) return [...new Set(listed.map((path) => resolve(path)))];
  return [join(env.HOME || homedir(), ".kube", "config")];
}

async function addFile(lists: Lists, file: string, mayFollow: boolean): Promise<void> {
  if (lists.sources.includes(file)) return;
  const document = await readFields(file);
  if (document === undefined) return;
  const sources = overlaySources(document);
  if (sources !== undefined && mayFollow && sources.length > 0) {
    const before = lists.sources.length;
    for (const source of sources) await addFile(lists, source, false);
    if (lists.sources.length > before) return;
    throw new UserError(`'${file}' is an overlay made from '${sources.join("', '")}', which is gone`, {
      hint: "name the original: KUBECONFIG=<file> iddio kubeconfig",
    });
  }
  if (sources !== undefined || mentionsGateway(document))
    throw new UserError(`'${file}' is itself an overlay that iddio wrote`, {
      hint: "name the original: KUBECONFIG=~/.kube/config iddio kubeconfig",
    });
  lists.sources.push(file);
  addEntries(lists.clusters, document.clusters, "cluster", file, ["certificate-authority"]);
  addEntries(lists.users, document.users, "user", file, ["client-certificate", "client-key", "tokenFile"]);
  addEntries(lists.contexts, document.contexts, "context", file, []);
  lists.currentContext ||= textOf(document, "current-context") ?? "";
}

// The first file to define a name wins, whole entry by whole entry, as in kubectl.
function addEntries(
  into: Map<string, KubeconfigEntry>,
  list: unknown,
  key: string,
  file: string,
  paths: readonly string[],
): void {
  for (const item of Array.isArray(list) ? list : []) {
    const name = textOf(item, "name");
    if (name === undefined || into.has(name)) continue;
    const fields = { ...fieldsOf((item as KubeconfigFields)[key]) };
    for (const path of paths) {
      const value = textOf(fields, path);
      if (value) fields[path] = isAbsolute(value) ? value : join(dirname(file), value);
    }
    const exec = fieldsOf(fields.exec);
    const command = textOf(exec, "command");
    // Like kubectl: a command with a slash is relative to the file, one without is found on PATH.
    if (command?.includes("/") && !isAbsolute(command))
      fields.exec = { ...exec, command: join(dirname(file), command) };
    into.set(name, { name, fields, file });
  }
}

async function readContext(lists: Lists, context: KubeconfigEntry): Promise<KubeconfigContext | undefined> {
  const cluster = lists.clusters.get(textOf(context.fields, "cluster") ?? "");
  if (cluster === undefined) return undefined;
  const user = lists.users.get(textOf(context.fields, "user") ?? "");
  const server = clusterServer(cluster);
  refuseUnverified(cluster);
  const serverName = textOf(cluster.fields, "tls-server-name");
  const identity = user && (await identityOf(user));
  return {
    name: context.name,
    context,
    cluster,
    ...(user === undefined ? {} : { user }),
    ...server,
    caPem: await caOf(cluster),
    ...(serverName ? { serverName } : {}),
    ...(identity === undefined ? {} : { identity }),
  };
}

// Fails closed on anything but an explicit no: an unverified cluster behind iddio would look verified to agents.
function refuseUnverified(cluster: KubeconfigEntry): void {
  const skip = cluster.fields["insecure-skip-tls-verify"];
  if (skip === undefined || skip === null || skip === false) return;
  throw new UserError(
    `cluster '${cluster.name}' in '${cluster.file}' has insecure-skip-tls-verify: iddio verifies every cluster`,
    {
      hint:
        `give it its CA: kubectl config set-cluster ${shellWord(cluster.name)} --insecure-skip-tls-verify=false ` +
        "--certificate-authority=ca.pem --embed-certs (or pick another one with --context)",
    },
  );
}

async function caOf(cluster: KubeconfigEntry): Promise<string> {
  const data = textOf(cluster.fields, "certificate-authority-data");
  const path = textOf(cluster.fields, "certificate-authority");
  if (!data && !path) return "";
  const pem = data ? decodeBase64(data) : await readText(path ?? "", `the CA of cluster '${cluster.name}'`);
  if (!pem.includes("-----BEGIN CERTIFICATE-----"))
    throw new UserError(`the CA of cluster '${cluster.name}' in '${cluster.file}' holds no PEM certificate`, {
      hint: "it must have a line '-----BEGIN CERTIFICATE-----'",
    });
  return pem;
}

async function identityOf(user: KubeconfigEntry): Promise<KubeconfigIdentity | undefined> {
  const { fields, file, name } = user;
  const hasData = textOf(fields, "client-certificate-data") || textOf(fields, "client-key-data");
  const certificatePath = textOf(fields, "client-certificate");
  const keyPath = textOf(fields, "client-key");
  if (hasData) return { certificatePath: file, kubeconfigUser: name };
  if (!certificatePath) return undefined;
  for (const path of [certificatePath, keyPath ?? certificatePath])
    await access(path).catch((error: unknown) => {
      throw unreadable(path, `the client certificate of user '${name}'`, error);
    });
  return { certificatePath, ...(keyPath ? { keyPath } : {}) };
}

/** Whether a file's text is an overlay that iddio wrote; false for anything that cannot be read as one. */
export function isOverlay(text: string): boolean {
  try {
    return overlaySources(parseFields(text, "")) !== undefined;
  } catch {
    return false;
  }
}

/**
 * The client certificate and key in PEM that the kubeconfig at `file` gives a user, read again at each call by `read`. Throws
 * a UserError when the user is not there or has none.
 */
export async function kubeconfigIdentity(
  file: string,
  userName: string,
  read: (path: string) => Promise<string>,
): Promise<{ readonly cert: string; readonly key: string }> {
  const fields = await kubeconfigUser(file, userName, read);
  const part = async (name: string) => {
    const data = textOf(fields, `${name}-data`);
    const path = textOf(fields, name);
    if (data) return decodeBase64(data);
    if (path) return read(path);
    throw new UserError(`user '${userName}' in '${file}' has no ${name}`, { hint: "run: iddio kubeconfig" });
  };
  return { cert: await part("client-certificate"), key: await part("client-key") };
}

/** The fields of a user of the kubeconfig at `file`, paths made absolute; undefined when it has no such user. */
export async function kubeconfigUser(
  file: string,
  userName: string,
  read: (path: string) => Promise<string>,
): Promise<KubeconfigFields | undefined> {
  const users = new Map<string, KubeconfigEntry>();
  const paths = ["client-certificate", "client-key", "tokenFile"];
  addEntries(users, parseFields(await read(file), file).users, "user", file, paths);
  return users.get(userName)?.fields;
}

async function readFields(file: string): Promise<KubeconfigFields | undefined> {
  let text: string;
  try {
    text = await readText(file, "the kubeconfig");
  } catch (error) {
    if (error instanceof UserError && errorCode(error.cause) === "ENOENT") return undefined;
    throw error;
  }
  return parseFields(text, file);
}

function parseFields(text: string, file: string): KubeconfigFields {
  // As kubectl reads it: the first document alone, and of a repeated key the last value.
  const [document] = parseAllDocuments(text, { uniqueKeys: false, prettyErrors: true });
  if (document === undefined) return {};
  const [problem] = document.errors;
  if (problem !== undefined)
    throw new UserError(`'${file}' is not a kubeconfig: ${problem.message.split("\n")[0]}`, {
      hint: "check it with: kubectl config view",
    });
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value))
    throw new UserError(`'${file}' is not a kubeconfig`, { hint: "check it with: kubectl config view" });
  return value as KubeconfigFields;
}

async function readText(path: string, what: string): Promise<string> {
  try {
    return (await readNamedFile(path, { what, maxBytes: MAX_BYTES })).toString("utf8");
  } catch (error) {
    const cause = error instanceof UserError ? error.cause : error;
    if (cause === undefined) throw error;
    throw unreadable(path, what, cause);
  }
}

function unreadable(path: string, what: string, cause: unknown): UserError {
  const why = errorCode(cause) === "ENOENT" ? "it does not exist" : (errorCode(cause) ?? String(cause));
  return new UserError(`cannot read ${what} at '${path}': ${why}`, {
    hint: "check the path and its permissions",
    cause,
  });
}

function mentionsGateway(document: KubeconfigFields): boolean {
  const clusters = Array.isArray(document.clusters) ? document.clusters : [];
  return clusters.some((item) => {
    const proxy = textOf(fieldsOf((item as KubeconfigFields)?.cluster), "proxy-url") ?? "";
    return URL.canParse(proxy) && new URL(proxy).username === OVERLAY_MARK;
  });
}

function decodeBase64(text: string): string {
  return Buffer.from(text, "base64").toString("utf8");
}

function fieldsOf(value: unknown): KubeconfigFields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as KubeconfigFields)
    : {};
}

function textOf(value: unknown, key: string): string | undefined {
  const found = fieldsOf(value)[key];
  return typeof found === "string" ? found : undefined;
}
