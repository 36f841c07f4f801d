// How a table of frames becomes tests of the engine as a server: each case is sent one packet a
// frame, and again as one packet, and must come out the same.

import { describe, expect, test } from "bun:test";
import { FLAGS, headers, join, request, settings } from "./http2-frames.ts";
import type { Case, Rule, Want } from "./http2-rules.ts";
import { AnsweringServer } from "./http2-server.ts";

/** A request that is whole. */
export const get = (streamId: number): Uint8Array => headers(streamId, request(), FLAGS.END);
/** A request whose body is to come. */
export const post = (streamId: number, changes: Readonly<Record<string, string>> = {}): Uint8Array =>
  headers(streamId, request({ ":method": "POST", ...changes }));

/** Declares a test for every case under the heading. */
export function checkRule({ section, want, cases }: Rule): void {
  describe(section, () => {
    for (const [rule, ...frames] of cases) {
      test(`${rule}: ${NAMES[want.kind]}`, () => {
        check(want, new AnsweringServer().send(...frames));
        check(want, new AnsweringServer().send(join(...frames)));
      });
    }
  });
}

/** The stream is reset with the code; the connection goes on to answer another request. */
export function resets(section: string, code: number, cases: readonly Case[]): void {
  checkRule({ section, want: { kind: "resets", code }, cases });
}

const NAMES = { answers: "is answered", ends: "connection error", resets: "stream error" } as const;

function check(want: Want, server: AnsweringServer): void {
  const { connection } = server;
  if (want.kind === "answers") {
    expect(server.connectionErrors).toEqual([]);
    expect(server.streamErrors).toEqual([]);
    expect(server.answered).toEqual([...want.streams]);
  } else if (want.kind === "ends") {
    expect(server.connectionErrors).toEqual([want.code]);
    expect(connection.isClosed).toBe(true);
    expect(server.events.at(-1)).toMatchObject({ kind: "error", code: want.code });
    // Nothing more is taken, and nothing said.
    expect(connection.receive(get(101))).toEqual([]);
    expect(connection.takeOutput()).toBeUndefined();
  } else {
    expect(server.streamErrors).toContainEqual([1, want.code]);
    expect(server.connectionErrors).toEqual([]);
    server.send(settings([4, 65_535]), get(1001));
    expect(server.answered).toContain(1001);
  }
}
