// The certificate that real servers show in TLS 1.2 before anything is encrypted, read from real
// octets, whatever their length and however they are cut.

import { expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import net from "node:net";
import tls from "node:tls";
import { certificateInFlight, plainHello } from "../../src/wire/tls/server-flight.ts";
import { createAuthority } from "../support/cluster/authority.ts";

async function flightOf(options: tls.TlsOptions): Promise<Buffer> {
  const server = tls.createServer(options);
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  try {
    socket.write(plainHello("localhost", new Uint8Array(32)));
    let read = Buffer.alloc(0);
    for await (const piece of socket) {
      read = Buffer.concat([read, piece as Buffer]);
      if (certificateInFlight(read).kind !== "need-more") return read;
    }
    return read;
  } finally {
    socket.destroy();
    server.close();
  }
}

test("a server's certificate is found as soon as it is there, and at no octet before", async () => {
  const authority = createAuthority("origin");
  const { certPem, keyPem } = authority.serverCertificate(["localhost"]);
  const flight = await flightOf({ cert: certPem, key: keyPem });
  const found = certificateInFlight(flight);
  expect(found.kind === "found" && Buffer.from(found.der).equals(new X509Certificate(certPem).raw)).toBe(
    true,
  );
  const kinds = Array.from(
    { length: flight.length },
    (_, at) => certificateInFlight(flight.subarray(0, at)).kind,
  );
  const first = kinds.indexOf("found");
  expect(new Set(kinds.slice(0, first < 0 ? undefined : first))).toEqual(new Set(["need-more"]));
}, 120_000);

test("a server that speaks only TLS 1.3, an alert and noise show none", async () => {
  const authority = createAuthority("origin");
  const { certPem, keyPem } = authority.serverCertificate(["localhost"]);
  const flight = await flightOf({ cert: certPem, key: keyPem, minVersion: "TLSv1.3" });
  expect(certificateInFlight(flight).kind).toBe("none");
  for (const octets of [
    [21, 3, 3, 0, 2, 2, 40],
    [72, 84, 84, 80],
    [22, 3, 3, 0, 4, 14, 0, 0, 0],
  ])
    expect(certificateInFlight(Uint8Array.from(octets)).kind).toBe("none");
}, 120_000);
