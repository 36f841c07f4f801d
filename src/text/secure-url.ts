// Which addresses programs and their checksums may come from: https, or plain http from this
// machine itself.

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** By the host that is connected to: in `http://127.0.0.1:1@mirror.example` that is the mirror. */
export function isSecureUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.has(hostname));
}
