// Speaks to the cluster of an entry as the operator does: with kubectl and the overlay kubeconfig,
// so each request goes through iddio and is judged, held and recorded like any other.

import { parse } from "yaml";
import type { UndoEntry } from "../../api/undo-report.ts";
import { UserError } from "../../model/user-error.ts";
import { isFields, type ObjectFields } from "../../protocols/kubectl/effect/normalise.ts";

/** An answer of the API server, or that the object is not there. */
export type ClusterAnswer = { readonly object: ObjectFields } | { readonly absent: true };

/** The cluster, by its raw API. Each method throws UserError with kubectl's own words. */
export class ClusterOfEntry {
  readonly #kubectl: string;
  readonly #arguments: readonly string[];
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(kubectl: string, config: readonly string[], env: Readonly<Record<string, string | undefined>>) {
    this.#kubectl = kubectl;
    this.#arguments = config;
    this.#env = env;
  }

  async get(path: string): Promise<ClusterAnswer> {
    return this.#run(["get", "--raw", path]);
  }

  async create(path: string, object: ObjectFields): Promise<ObjectFields> {
    return present(await this.#run(["create", "--raw", path, "-f", "-"], object));
  }

  /** Gives the object that is there where somebody else was faster. */
  async createUnlessThere(path: string, collection: string, object: ObjectFields): Promise<ObjectFields> {
    try {
      return await this.create(collection, object);
    } catch (error) {
      if (!(error instanceof UserError) || !/\(AlreadyExists\)/.test(error.message)) throw error;
      return present(await this.get(path));
    }
  }

  async replace(path: string, object: ObjectFields): Promise<ObjectFields> {
    return present(await this.#run(["replace", "--raw", path, "-f", "-"], object));
  }

  async remove(path: string, options: ObjectFields): Promise<void> {
    await this.#run(["delete", "--raw", path, "-f", "-"], options);
  }

  async #run(args: readonly string[], input?: ObjectFields): Promise<ClusterAnswer> {
    const child = Bun.spawn([this.#kubectl, ...this.#arguments, ...args], {
      env: this.#env,
      stdin: input === undefined ? "ignore" : Buffer.from(JSON.stringify(input)),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (code === 0) {
      const value: unknown = JSON.parse(stdout);
      return { object: isFields(value) ? value : {} };
    }
    if (/\(NotFound\)/.test(stderr)) return { absent: true };
    throw new UserError(stderr.trim().split("\n").at(-1) ?? "kubectl failed", {
      hint: "a held request waits for you: iddio approval list",
    });
  }
}

function present(answer: ClusterAnswer): ObjectFields {
  if ("object" in answer) return answer.object;
  throw new UserError("the API server knows nothing at this path", {
    hint: "its namespace or kind may be gone",
  });
}

/** Finds kubectl and the context of the overlay whose server is the entry's. Throws UserError. */
export async function clusterOfEntry(
  { host, port }: Pick<UndoEntry, "host" | "port">,
  overlay: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ClusterOfEntry> {
  const kubectl = Bun.which("kubectl", { PATH: env.PATH ?? "" });
  if (kubectl === null)
    throw new UserError("kubectl is not on your PATH", {
      hint: "install it: undo speaks to the cluster with it",
    });
  const text = await Bun.file(overlay)
    .text()
    .catch(() => "");
  const config: unknown = text === "" ? {} : parse(text);
  const named = (list: unknown) => (Array.isArray(list) ? list.filter(isFields) : []);
  const { clusters, contexts } = isFields(config) ? config : {};
  const names = named(clusters)
    .filter(({ cluster }) => isFields(cluster) && isServer(String(cluster.server), host, port))
    .map(({ name }) => name);
  const context = named(contexts).find(
    ({ context: inner }) => isFields(inner) && names.includes(inner.cluster),
  );
  if (context === undefined)
    throw new UserError(`no context of '${overlay}' is for ${host}:${port}`, {
      hint: "write it again: iddio kubeconfig",
    });
  return new ClusterOfEntry(kubectl, ["--kubeconfig", overlay, "--context", String(context.name)], env);
}

function isServer(server: string, host: string, port: number): boolean {
  if (!URL.canParse(server)) return false;
  const url = new URL(server);
  return url.hostname.replace(/^\[|\]$/g, "") === host && Number(url.port || 443) === port;
}
