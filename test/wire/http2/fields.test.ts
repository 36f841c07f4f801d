// Which header fields a request may have in HTTP/2 (RFC 9113 8.2, 8.3): a malformed one costs its
// stream and nothing else.

import { H2_ERROR } from "../../../src/wire/http2/connection.ts";
import { resets } from "../../support/wire/http2-cases.ts";
import { FLAGS, headers, request } from "../../support/wire/http2-frames.ts";

const { PROTOCOL_ERROR } = H2_ERROR;
const { END } = FLAGS;

const field = (name: string, value: string): Uint8Array => headers(1, [...request(), [name, value]], END);
const without = (name: string): Uint8Array =>
  headers(
    1,
    request().filter(([key]) => key !== name),
    END,
  );
const changed = (name: string, value: string): Uint8Array => headers(1, request({ [name]: value }), END);

resets("8.2, 8.3: malformed fields", PROTOCOL_ERROR, [
  ["a capital in a name", field("X-Test", "ok")],
  ["a space in a name", field("x test", "ok")],
  ["a colon in a name", field("x:y", "ok")],
  ["a control in a name", field("x\x01", "ok")],
  ["obs-text in a name", field("x\x80", "ok")],
  ["an empty name", field("", "ok")],
  ["NUL in a value", field("x", "a\0b")],
  ["CR in a value", field("x", "a\rb")],
  ["LF in a value", field("x", "a\nb: c")],
  ["another control in a value", field("x", "a\x7f")],
  ["a space before a value", field("x", " a")],
  ["a tab after a value", field("x", "a\t")],
  ["an unknown pseudo field", field(":test", "ok")],
  ["an unknown pseudo field in front", headers(1, [[":test", "ok"], ...request()], END)],
  [
    ":protocol without its setting",
    headers(1, [[":protocol", "websocket"], ...request({ ":method": "CONNECT" })], END),
  ],
  [":status in a request", headers(1, [[":status", "200"], ...request()], END)],
  ["a pseudo field after a field", headers(1, [["x", "y"], ...request()], END)],
  ["a pseudo field after host", headers(1, [["host", "a"], ...request()], END)],
  ["connection", field("connection", "keep-alive")],
  ["keep-alive", field("keep-alive", "1")],
  ["proxy-connection", field("proxy-connection", "keep-alive")],
  ["transfer-encoding", field("transfer-encoding", "chunked")],
  ["upgrade", field("upgrade", "websocket")],
  ["te other than trailers", field("te", "trailers, deflate")],
  ["content_length", field("content_length", "0")],
  ["content-length twice", headers(1, [...request(), ["content-length", "0"], ["content-length", "0"]], END)],
  ["content-length that is no number", field("content-length", "+1")],
  ["content-length with a list", field("content-length", "0, 0")],
  ["host twice", headers(1, [...request(), ["host", "a"], ["host", "a"]], END)],
  ["host with a space", field("host", "a b")],
  ["an empty host", field("host", "")],
  ["no :method", without(":method")],
  ["no :scheme", without(":scheme")],
  ["no :path", without(":path")],
  ["neither :authority nor host", without(":authority")],
  [":method twice", headers(1, [[":method", "GET"], ...request()], END)],
  [":scheme twice", headers(1, [[":scheme", "https"], ...request()], END)],
  [":path twice", headers(1, [[":path", "/"], ...request()], END)],
  [":authority twice", headers(1, [[":authority", "api.example"], ...request()], END)],
  ["an empty :path", changed(":path", "")],
  ["a :path without a slash", changed(":path", "a")],
  ["an absolute :path", changed(":path", "https://a/")],
  ["* without OPTIONS", changed(":path", "*")],
  ["a :path with a space", changed(":path", "/a b")],
  ["a :path with a fragment", changed(":path", "/a#b")],
  ["a :path beyond ASCII", changed(":path", "/\xe9")],
  ["a :method that is no token", changed(":method", "GET /")],
  ["an empty :method", changed(":method", "")],
  ["an unknown :scheme", changed(":scheme", "ftp")],
  ["userinfo in :authority", changed(":authority", "a@b")],
  ["an empty :authority", changed(":authority", "")],
  ["a path in :authority", changed(":authority", "a/b")],
  ["CONNECT with :path", changed(":method", "CONNECT")],
  ["CONNECT without :authority", headers(1, [[":method", "CONNECT"]], END)],
]);
