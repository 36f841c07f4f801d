// The dictionary that SPDY/3.1 compresses header blocks with (draft-mbelshe-httpbis-spdy-00
// 2.6.10.1): words, each after its length in 32 bits, then one run of text.

const WORDS =
  "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow " +
  "authorization cache-control connection content-base content-encoding content-language content-length " +
  "content-location content-md5 content-range content-type date etag expect expires from host if-match " +
  "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma " +
  "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade " +
  "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie " +
  "keep-alive origin";
const RUN =
  "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505" +
  "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized" +
  "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable" +
  "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT" +
  "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain," +
  "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

function build(): Uint8Array {
  const octets: number[] = [];
  const add = (text: string) => {
    for (let at = 0; at < text.length; at += 1) octets.push(text.charCodeAt(at));
  };
  for (const written of WORDS.split(" ")) {
    const word = written.replace("_", " ");
    octets.push(0, 0, 0, word.length);
    add(word);
  }
  add(RUN);
  return new Uint8Array(octets);
}

/** The octets of the dictionary. */
export const SPDY_DICTIONARY: Uint8Array = build();
