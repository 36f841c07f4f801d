// A Git server over HTTP, by git's own CGI program: what a push and a clone meet.

import { join } from "node:path";

/** Serves the repositories below a folder; undefined when the request is for none. */
export async function answerGit(root: string, request: Request): Promise<Response | undefined> {
  const { pathname, search } = new URL(request.url);
  if (!/\.git\//.test(pathname)) return undefined;
  const child = Bun.spawn(["git", "http-backend"], {
    env: {
      PATH: process.env.PATH ?? "",
      HOME: root,
      GIT_CONFIG_COUNT: "2",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      GIT_CONFIG_KEY_1: "http.receivepack",
      GIT_CONFIG_VALUE_1: "true",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
      GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
    },
    stdin: new Uint8Array(await request.arrayBuffer()),
    stdout: "pipe",
    stderr: "inherit",
  });
  const output = Buffer.from(await new Response(child.stdout).arrayBuffer());
  const end = output.indexOf("\r\n\r\n");
  const fields = output
    .subarray(0, end)
    .toString("latin1")
    .split("\r\n")
    .map((line): [string, string] => [line.split(": ")[0] ?? "", line.split(": ").slice(1).join(": ")]);
  const status = Number.parseInt(fields.find(([name]) => name === "Status")?.[1] ?? "200", 10);
  return new Response(output.subarray(end + 4), {
    status,
    headers: fields.filter(([name]) => name !== "Status"),
  });
}

/** Makes an empty repository in a folder. */
export function makeBareRepository(root: string, name: string): void {
  Bun.spawnSync(["git", "init", "-q", "--bare", "-b", "main", join(root, name)]);
}
