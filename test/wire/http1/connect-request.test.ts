import { describe, expect, test } from "bun:test";
import {
  parseAbsoluteTarget,
  parseAuthority,
  parseListenAddress,
} from "../../../src/wire/http1/connect-request.ts";

describe("an authority is read as", () => {
  const cases: [text: string, host: string, port: number][] = [
    ["example.com:443", "example.com", 443],
    ["EXAMPLE.com:1", "example.com", 1],
    ["example.com.:443", "example.com", 443],
    ["example.com", "example.com", 8080],
    ["localhost:65535", "localhost", 65535],
    ["a_b-c.example:80", "a_b-c.example", 80],
    ["xn--bcher-kva.example:80", "xn--bcher-kva.example", 80],
    ["0x7f.example:80", "0x7f.example", 80],
    ["1.2.3.4.example:80", "1.2.3.4.example", 80],
    ["127.0.0.1:80", "127.0.0.1", 80],
    ["0.0.0.0:80", "127.0.0.1", 80],
    ["[::1]:443", "::1", 443],
    ["[::]", "::1", 8080],
    ["[::ffff:0.0.0.0]:80", "127.0.0.1", 80],
    ["[0:0:0::0]:80", "::1", 80],
    ["[2001:DB8:0:0:0:0:0:1]:443", "2001:db8::1", 443],
    ["[2001:db8:0:0:1:0:0:1]:443", "2001:db8::1:0:0:1", 443],
    ["[2001:0db8:0:1:1:1:1:1]:443", "2001:db8:0:1:1:1:1:1", 443],
    ["[1:2:3:4:5:6:7::]:443", "1:2:3:4:5:6:7:0", 443],
    ["[::ffff:1.2.3.4]:443", "1.2.3.4", 443],
    ["[::FFFF:102:304]:443", "1.2.3.4", 443],
    ["[64:ff9b::1.2.3.4]:443", "64:ff9b::102:304", 443],
    [`${"a".repeat(63)}.example:1`, `${"a".repeat(63)}.example`, 1],
  ];
  for (const [text, host, port] of cases)
    test(text, () => expect(parseAuthority(text, 8080)).toEqual({ host, port }));
});

test("an address to listen on may be every address", () => {
  expect(parseListenAddress("0.0.0.0:1")).toEqual({ host: "0.0.0.0", port: 1 });
  expect(parseListenAddress("[::]:1")).toEqual({ host: "::", port: 1 });
});

describe("an authority is refused:", () => {
  const cases = [
    "",
    ":443",
    "example.com:",
    "example.com:0",
    "example.com:65536",
    "example.com:0443",
    "example.com:+443",
    "example.com:443 ",
    "example.com:4 3",
    "example.com:443:443",
    "example.com:0x1bb",
    "example..com:443",
    ".example.com:443",
    "example.com..:443",
    ".:443",
    "user@example.com:443",
    "user:pass@example.com:443",
    "example.com/:443",
    "example.com\\:443",
    "exa mple.com:443",
    "example.com%2f:443",
    "%65xample.com:443",
    "*.example.com:443",
    "ex\u00e4mple.com:443",
    "\u2488.example:443",
    "example\u3002com:443",
    "K\u212a.example:443",
    "127.1:443",
    "127.0.1:443",
    "2130706433:443",
    "0x7f.1:443",
    "0x7f000001:443",
    "0x:443",
    "017700000001:443",
    "0177.0.0.1:443",
    "127.0.0.01:443",
    "127.0.0.1.:443",
    "127.0.0.256:443",
    "1.2.3.4.5:443",
    "foo.1:443",
    "foo.0x1:443",
    "foo.0X1:443",
    "::1:443",
    "[::1:443",
    "[]:443",
    "[:]:443",
    "[:::]:443",
    "[1::2::3]:443",
    "[1:2:3:4:5:6:7]:443",
    "[1:2:3:4:5:6:7:8:9]:443",
    "[1:2:3:4:5:6:7:8::]:443",
    "[12345::]:443",
    "[g::]:443",
    "[::1.2.3]:443",
    "[::1.2.3.4:5]:443",
    "[1.2.3.4::]:443",
    "[::01.2.3.4]:443",
    "[fe80::1%25eth0]:443",
    "[fe80::1%eth0]:443",
    "[::1]443",
    "[::1]x:443",
    "[127.0.0.1]:443",
    `${"a".repeat(64)}.example:443`,
    `${"a.".repeat(130)}example:443`,
  ];
  for (const text of cases)
    test(JSON.stringify(text), () => expect(parseAuthority(text, 8080)).toBeUndefined());

  test("without a port when there is no default", () => {
    expect(parseAuthority("example.com")).toBeUndefined();
    expect(parseAuthority("[::1]")).toBeUndefined();
  });
});

describe("an absolute target", () => {
  const cases: [
    target: string,
    scheme: "http" | "https",
    host: string,
    port: number,
    origin: string,
    authority: string,
  ][] = [
    ["http://example.com/a?b", "http", "example.com", 80, "/a?b", "example.com"],
    ["HTTP://Example.COM:8080/", "http", "example.com", 8080, "/", "Example.COM:8080"],
    ["https://example.com", "https", "example.com", 443, "/", "example.com"],
    ["http://example.com?a=/b", "http", "example.com", 80, "/?a=/b", "example.com"],
    ["http://example.com/?", "http", "example.com", 80, "/?", "example.com"],
    ["http://example.com/a@b:c", "http", "example.com", 80, "/a@b:c", "example.com"],
    ["http://[::1]:1/%2e", "http", "::1", 1, "/%2e", "[::1]:1"],
    ["http://a//b", "http", "a", 80, "//b", "a"],
  ];
  for (const [text, scheme, host, port, target, authority] of cases)
    test(`${text} is taken apart`, () =>
      expect(parseAbsoluteTarget(text)).toEqual({ scheme, host, port, target, authority }));

  const refused = [
    "/a",
    "http:/a",
    "http://",
    "http:///a",
    "http://?a",
    "ftp://a/",
    "http://u@a/",
    "http://a:0/",
    "http://a b/",
    "http://a\\b/",
    "http://a#b",
    "http://a/#b",
    "http://\u00e4/",
    "http://2130706433/",
  ];
  for (const text of refused)
    test(`${JSON.stringify(text)} is refused`, () => expect(parseAbsoluteTarget(text)).toBeUndefined());
});
