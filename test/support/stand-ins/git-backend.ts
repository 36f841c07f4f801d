// Git's own server, `git http-backend`, as a vendor's answer: CGI over a directory of bare
// repositories.

import type { StandInReply, StandInRequest } from "./stand-in.ts";
import { field } from "./stand-in.ts";

/** Answers a request of git's smart HTTP protocol from the repositories below `root`. */
export async function answerGit(root: string, request: StandInRequest): Promise<StandInReply> {
  const child = Bun.spawn(["git", "http-backend"], {
    env: {
      PATH: process.env.PATH ?? "",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      REMOTE_USER: "operator",
      REQUEST_METHOD: request.method,
      PATH_INFO: request.path,
      QUERY_STRING: request.target.split(/\?(.*)/s)[1] ?? "",
      CONTENT_TYPE: field(request, "content-type") ?? "",
      CONTENT_LENGTH: String(request.body.length),
      HTTP_CONTENT_ENCODING: field(request, "content-encoding") ?? "",
      GIT_PROTOCOL: field(request, "git-protocol") ?? "",
    },
    stdin: request.body,
    stdout: "pipe",
    stderr: "ignore",
  });
  const output = Buffer.from(await new Response(child.stdout).arrayBuffer());
  const end = output.indexOf("\r\n\r\n");
  const headers = Object.fromEntries(
    output
      .toString("latin1", 0, end)
      .split("\r\n")
      .map((line) => line.split(/: (.*)/s) as [string, string]),
  );
  const { Status = "200", ...fields } = headers;
  return {
    status: Number.parseInt(Status, 10),
    headers: fields,
    body: new Uint8Array(output.subarray(end + 4)),
  };
}
