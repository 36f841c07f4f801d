// A parsed response head. Most are passed on as they came and nobody asks for their fields, so the
// texts are only made when somebody does.

import type { Header } from "../../model/request.ts";
import { C1 } from "../octet-class.ts";
import { scanFieldLines, scannedText } from "./field-lines.ts";
import { type Framing, UNTIL_CLOSE } from "./framing.ts";
import type { WireResponseHead } from "./head.ts";
import { isKeptAlive, type StatusLine } from "./head-rules.ts";
import { headersOf, type MessageFields } from "./message-fields.ts";

/** The head itself and where its parts are. */
export interface ResponseOctets {
  /** From the first octet up to and with the empty line. */
  readonly bytes: Uint8Array;
  readonly hasC1: boolean;
  readonly reasonStart: number;
  readonly reasonEnd: number;
  /** Whether the octets may be forwarded as they are; see `verbatim`. */
  readonly isVerbatim: boolean;
}

/** A response that was found to have no problem. */
export class ResponseHead implements WireResponseHead {
  readonly status: number;
  readonly version: "1.0" | "1.1";
  readonly framing: Framing;
  readonly keepAlive: boolean;
  readonly upgrade: string | undefined;
  readonly #octets: ResponseOctets;
  readonly #fields: MessageFields;
  #headers: readonly Header[] | undefined;

  constructor(line: StatusLine, framing: Framing, fields: MessageFields, octets: ResponseOctets) {
    this.status = line.status;
    this.version = line.version;
    this.framing = framing;
    this.keepAlive = framing !== UNTIL_CLOSE && isKeptAlive(line.version, fields);
    this.upgrade = fields.hasUpgradeOption ? fields.upgrade : undefined;
    this.#fields = fields;
    this.#octets = octets;
  }

  get statusText(): string {
    const { reasonStart, reasonEnd } = this.#octets;
    return this.#text.slice(reasonStart, reasonEnd);
  }

  get verbatim(): Uint8Array | undefined {
    return this.#octets.isVerbatim ? this.#octets.bytes : undefined;
  }

  get headers(): readonly Header[] {
    if (this.#headers === undefined) {
      const { bytes, reasonEnd } = this.#octets;
      const scan = scanFieldLines(bytes, reasonEnd + 2, bytes.length, Number.POSITIVE_INFINITY);
      if (scan.kind !== "ok") throw new Error("a response head that was parsed cannot be read again");
      this.#headers = headersOf(this.#text, scan.count, this.#fields);
    }
    return this.#headers;
  }

  get #text(): string {
    const { bytes, hasC1 } = this.#octets;
    return scannedText(bytes, bytes.length, hasC1 ? C1 : 0);
  }
}
