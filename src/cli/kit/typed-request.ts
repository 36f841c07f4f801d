// A request as people type it: a method, then a URL, or a host and a path. An obvious meaning is
// taken; an ambiguous one is refused with the line to type instead.

import { isAddress } from "../../match/destination.ts";
import { UserError } from "../../model/user-error.ts";
import { splitUrl } from "../../protocols/batch.ts";
import { suggestWord } from "./suggest.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

/**
 * The method, as typed. Throws when it is a place, or one of HTTP's misspelled: their case counts. `rest`:
 * the later words, for the corrected line.
 */
export function typedMethod(command: string, text: string, rest: readonly string[] = []): string {
  if (METHODS.includes(text)) return text;
  if (/[./:]/.test(text))
    throw new UserError(`'${text}' is not an HTTP method`, {
      hint: `the method comes first: iddio ${command} GET ${[text, ...rest].join(" ")}`,
      exitCode: 2,
    });
  const near =
    METHODS.find((method) => method === text.toUpperCase()) ?? suggestWord(text.toUpperCase(), METHODS);
  if (near === undefined || (/^[A-Z]{3,}$/.test(text) && near.length !== text.length)) return text;
  throw new UserError(`'${text}' is not an HTTP method`, {
    hint: `did you mean '${near}'? type it as sent`,
    exitCode: 2,
  });
}

/** A whole URL from one, from `host/path`, or from a bare host or address. */
export function typedUrl(text: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  const slash = text.indexOf("/");
  const [host, rest] = slash < 0 ? [text, "/"] : [text.slice(0, slash), text.slice(slash)];
  return `https://${bracketed(host)}${rest}`;
}

/** Host with port and path from a host and a path, or from a URL alone. */
export function typedPlace(
  host: string,
  path: string | undefined,
): { readonly host: string; readonly path: string } {
  if (path !== undefined && !host.includes("/")) return { host: bracketed(host), path };
  const split = splitUrl(typedUrl(host));
  if ("problem" in split)
    throw new UserError(`'${host}' is not a host or a URL`, {
      hint: `${split.problem}; type: https://host/path`,
      exitCode: 2,
    });
  if (path !== undefined)
    throw new UserError("a URL has its path already", {
      hint: `leave out '${path}', or the URL's own path`,
      exitCode: 2,
    });
  return { host: `${bracketed(split.host)}:${split.port}`, path: split.target };
}

function bracketed(host: string): string {
  return host.includes(":") && isAddress(host) ? `[${host}]` : host;
}
