// The resolver inside a run: every host name has an address that leads to the bridge, which hands
// the connection on under the name. Nothing is asked outside, so no name carries data out. UDP and
// TCP on 127.0.0.1 port 53.

import { DNS_TYPE, dnsAnswer, dnsName, dnsProblem, readDnsQuery } from "../../../wire/dns/message.ts";
import { type FakeNames, isHostName } from "./fake-names.ts";

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);

/** The answer to one query; undefined: none. */
export function answerQuery(names: FakeNames, query: Uint8Array): Uint8Array | undefined {
  const question = readDnsQuery(query);
  if ("code" in question)
    return question.id === undefined ? undefined : dnsProblem(question.id, question.code);
  const { name, type } = question;
  if (type === DNS_TYPE.ptr) return answerPointer(names, question);
  if (name === "localhost" || name.endsWith(".localhost"))
    return dnsAnswer(question, "ok", type === DNS_TYPE.a ? LOOPBACK : undefined);
  if (!isHostName(name)) return dnsAnswer(question, name === "" ? "ok" : "no-such-name");
  // AAAA, HTTPS, SVCB, TXT …: the name exists and has none, so that clients take the IPv4 address.
  if (type !== DNS_TYPE.a) return dnsAnswer(question, "ok");
  const address = names.addressOf(name);
  return address === undefined ? dnsAnswer(question, "server-failure") : dnsAnswer(question, "ok", address);
}

function answerPointer(names: FakeNames, question: Parameters<typeof dnsAnswer>[0]): Uint8Array {
  const reversed = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(question.name);
  const found = reversed && names.nameOf(reversed.slice(1).reverse().join("."));
  return found ? dnsAnswer(question, "ok", dnsName(found)) : dnsAnswer(question, "no-such-name");
}

/** Serves until the process ends. Throws when the port cannot be had. */
export async function serveNames(names: FakeNames): Promise<void> {
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    port: 53,
    socket: {
      data(from, query, port, address) {
        const answer = answerQuery(names, query);
        if (answer !== undefined) from.send(answer, port, address);
      },
      // A client that went away makes the kernel report it here; nobody needs to know.
      error() {},
    },
  });
  void socket;
  Bun.listen<{ bytes: Uint8Array }>({
    hostname: "127.0.0.1",
    port: 53,
    socket: {
      open(client) {
        client.data = { bytes: new Uint8Array(0) };
      },
      data(client, bytes) {
        client.data.bytes = Buffer.concat([client.data.bytes, bytes]);
        for (;;) {
          const { bytes: all } = client.data;
          const length = all.length < 2 ? Number.POSITIVE_INFINITY : ((all[0] ?? 0) << 8) | (all[1] ?? 0);
          if (all.length < 2 + length) return;
          client.data.bytes = all.slice(2 + length);
          const answer = answerQuery(names, all.subarray(2, 2 + length));
          if (answer !== undefined)
            client.write(Buffer.concat([Uint8Array.of(answer.length >> 8, answer.length & 0xff), answer]));
        }
      },
      error() {},
    },
  });
}
