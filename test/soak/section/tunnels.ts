// Part 4, first half: a thousand tunnels at once that all carry data, and a thousand connections
// whose requests are judged.

import { openFileLimit } from "../../../src/host/process/open-file-limit.ts";
import { Http1Client } from "../client/http1.ts";
import { type ClientSocket, openClient } from "../client/socket.ts";
import { echo } from "../client/upgraded.ts";
import { kindOf, replyBody, targetOf } from "../kinds.ts";
import { judgeOpenFiles } from "../level.ts";
import type { Report } from "../report.ts";
import { type Scene, startScene } from "../scene.ts";

const ROUNDS = 4;
const PIECE = 16 * 1024;
/** Connections that are being opened at the same time; they stay open. */
const BURST = 100;

/** Opens that many of each and reports every claim. */
export async function soakTunnels({ tunnels }: { readonly tunnels: number }, report: Report): Promise<void> {
  // Each takes two of the gateway's, and one here.
  if ((openFileLimit() ?? Number.POSITIVE_INFINITY) < tunnels * 2 + 500) {
    report.note(`too few open files are allowed here for ${tunnels} tunnels`);
    return;
  }
  await using scene = await startScene(tunnels);
  await tunnelsAtOnce(scene, tunnels, report);
  await requestsAtOnce(scene, tunnels, report);
  await scene.quiet();
  await scene.hurry();
  await judgeOpenFiles(report, scene.gateway.pid, scene.filesBefore);
  const isAnswering = await scene.answers().catch(() => false);
  report.claim("the gateway still answers", isAnswering, isAnswering ? "200" : "no");
}

async function tunnelsAtOnce({ gateway, origin }: Scene, count: number, report: Report): Promise<void> {
  const authority = `localhost:${origin.ports.echo}`;
  const sockets = await openAll(count, () => openClient({ proxyPort: gateway.port, authority }));
  const began = performance.now();
  const answers = await Promise.all(
    sockets.map(async (socket, number) => {
      for (let round = 0; round < ROUNDS; round++)
        if ((await echo(socket, Buffer.alloc(PIECE, `${number}.${round} `))) !== "same") return false;
      return true;
    }),
  );
  const right = answers.filter((isRight) => isRight).length;
  const megabytes = (right * ROUNDS * PIECE * 2) / 1e6;
  const seconds = (performance.now() - began) / 1000;
  report.claim(
    `${count} tunnels at once all carry their own bytes`,
    right === count,
    `${right}, ${megabytes.toFixed(0)} MB in ${seconds.toFixed(1)} s`,
  );
  for (const socket of sockets) socket.end();
}

async function requestsAtOnce(scene: Scene, count: number, report: Report): Promise<void> {
  const { gateway, origin, ledger } = scene;
  const authority = `localhost:${origin.ports.http1}`;
  const route = { proxyPort: gateway.port, authority, caPem: gateway.caPem };
  const sockets = await openAll(count, () => openClient(route));
  const kind = kindOf(1);
  if (kind === undefined) throw new Error("unreachable: there is a first kind");
  const began = performance.now();
  const answers = await Promise.all(
    sockets.map(async (socket, index) => {
      const client = new Http1Client(socket, authority);
      const id = index + 1;
      ledger.kinds[id] = 1;
      const { reply } = client.send({
        method: "GET",
        target: targetOf(kind, id),
        body: Buffer.alloc(0),
        isChunked: false,
        upTo: "end",
      });
      const answer = await reply;
      return answer?.status === 200 && answer.body.equals(replyBody(kind, id));
    }),
  );
  const right = answers.filter((isRight) => isRight).length;
  const seconds = (performance.now() - began) / 1000;
  report.claim(
    `${count} connections at once all get their own answer`,
    right === count,
    `${right} in ${seconds.toFixed(1)} s`,
  );
  for (const socket of sockets) socket.end();
}

async function openAll(count: number, open: () => Promise<ClientSocket>): Promise<ClientSocket[]> {
  const sockets: ClientSocket[] = [];
  while (sockets.length < count) {
    const burst = Math.min(BURST, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: burst }, open))));
  }
  return sockets;
}
