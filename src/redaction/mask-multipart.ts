// Multipart bodies: each part is masked by its own type, and as a whole where the name of its form
// field is a secret. A malformed body is left to the caller.

import { isSecretName } from "./secret-name.ts";
import { MASK } from "./secret-value.ts";

/** Masks each part by `maskPart(type, text)`; undefined when there is no boundary, or it never occurs. */
export function maskMultipart(
  contentType: string,
  text: string,
  maskPart: (type: string, text: string) => string,
): string | undefined {
  const boundary = /boundary="?([^";,\s]{1,200})"?/i.exec(contentType)?.[1];
  if (boundary === undefined) return undefined;
  const delimiter = `--${boundary}`;
  const parts = text.split(delimiter);
  if (parts.length < 2) return undefined;
  return parts
    .map((part, index) => {
      const gap = /\r?\n\r?\n/.exec(part);
      if (index === 0 || gap === null) return part;
      const head = part.slice(0, gap.index);
      const start = gap.index + gap[0].length;
      const end = /\r?\n$/.exec(part)?.index ?? part.length;
      const body = part.slice(start, Math.max(start, end));
      const name = /\bname="?([^";\r\n]{1,200})"?/i.exec(head)?.[1] ?? "";
      const type = /^content-type:\s*([^\r\n]*)/im.exec(head)?.[1] ?? "";
      const masked = body !== "" && isSecretName(name) ? MASK : maskPart(type, body);
      return part.slice(0, start) + masked + part.slice(start + body.length);
    })
    .join(delimiter);
}
