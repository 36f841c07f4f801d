// tinyproxy: a small tunnelling proxy with a thread a connection.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, peerDirectory, runPeer, type StartPeer } from "./peer.ts";

/** Starts tinyproxy in the foreground, without a log. */
export const startTinyproxy: StartPeer = async () => {
  const program = Bun.which("tinyproxy");
  if (program === null) return "tinyproxy is not installed";
  const directory = await peerDirectory();
  const port = freePort();
  const config = join(directory, "tinyproxy.conf");
  await writeFile(
    config,
    [
      `Port ${port}`,
      "Listen 127.0.0.1",
      "Timeout 600",
      "MaxClients 4000",
      "LogLevel Critical",
      `LogFile "${join(directory, "log")}"`,
      "",
    ].join("\n"),
  );
  return runPeer({ name: "tinyproxy", directory, command: [program, "-d", "-c", config], port });
};
