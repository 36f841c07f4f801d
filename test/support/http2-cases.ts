// How a table of frames becomes tests of the engine as a server: each case is sent one packet a frame,
// and again as one packet, and must come out the same.

import { describe, expect, test } from "bun:test";
import { FLAGS, headers, join, request, settings } from "./http2-frames.ts";
import { AnsweringServer } from "./http2-server.ts";

/** What is sent after the handshake, and what it shows. */
export type Case = readonly [rule: string, ...frames: Uint8Array[]];

/** A request that is whole. */
export const get = (streamId: number): Uint8Array => headers(streamId, request(), FLAGS.END);
/** A request whose body is to come. */
export const post = (streamId: number, changes: Readonly<Record<string, string>> = {}): Uint8Array =>
  headers(streamId, request({ ":method": "POST", ...changes }));

/** Sends the frames both ways and gives the two servers. */
function both(frames: readonly Uint8Array[]): AnsweringServer[] {
  return [new AnsweringServer().send(...frames), new AnsweringServer().send(join(...frames))];
}

/** Every stream is answered, nothing is complained of. */
export function answers(section: string, cases: readonly Case[], streams: readonly number[] = [1]): void {
  describe(section, () => {
    for (const [rule, ...frames] of cases) {
      test(rule, () => {
        for (const server of both(frames)) {
          expect(server.connectionErrors).toEqual([]);
          expect(server.streamErrors).toEqual([]);
          expect(server.answered).toEqual([...streams]);
        }
      });
    }
  });
}

/** The connection ends with the code, and takes nothing more. */
export function ends(section: string, code: number, cases: readonly Case[]): void {
  describe(section, () => {
    for (const [rule, ...frames] of cases) {
      test(`${rule}: connection error`, () => {
        for (const server of both(frames)) {
          expect(server.connectionErrors).toEqual([code]);
          expect(server.connection.isClosed).toBe(true);
          expect(server.events.at(-1)).toMatchObject({ kind: "error", code });
          expect(server.connection.receive(get(101))).toEqual([]);
          expect(server.connection.takeOutput()).toBeUndefined();
        }
      });
    }
  });
}

/** The stream is reset with the code; the connection goes on to answer another request. */
export function resets(section: string, code: number, cases: readonly Case[], streamId = 1): void {
  describe(section, () => {
    for (const [rule, ...frames] of cases) {
      test(`${rule}: stream error`, () => {
        for (const server of both(frames)) {
          expect(server.streamErrors).toContainEqual([streamId, code]);
          expect(server.connectionErrors).toEqual([]);
          server.send(settings([4, 65_535]), get(1001));
          expect(server.answered).toContain(1001);
        }
      });
    }
  });
}
