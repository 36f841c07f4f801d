// SETTINGS of HTTP/2 (RFC 9113 6.5): which there are, which values they may have, and their bytes.
// Does not apply a change to streams and tables; unknown settings are ignored.

import { H2_ERROR } from "./error-code.ts";
import { readUint32 } from "./frame.ts";

/** The settings that mean something here; others are ignored. */
export const SETTING = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

/** Octets of one setting. */
export const SETTING_BYTES = 6;

/**
 * A peer's SETTINGS; before it sends any, the initial values hold (RFC 9113 6.5.2). MAX_FRAME_SIZE and
 * MAX_HEADER_LIST_SIZE are ignored: the first only allows frames larger than ours ever are, the second is
 * advice.
 */
export class Http2PeerSettings {
  headerTableSize = 4096;
  /** The smallest one in the frame read last: the table must have been that small in between (RFC 7541 4.2). */
  smallestTableSize = 4096;
  maxConcurrentStreams = Number.POSITIVE_INFINITY;
  initialWindow = 65_535;

  /** Takes in the settings in `bytes[start, end)`, whole ones; an error code when one may not be. */
  read(bytes: Uint8Array, start: number, end: number, isFromServer: boolean): number {
    this.smallestTableSize = this.headerTableSize;
    for (let at = start; at < end; at += SETTING_BYTES) {
      const id = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      const code = this.#set(id, readUint32(bytes, at + 2), isFromServer);
      if (code !== H2_ERROR.NO_ERROR) return code;
    }
    return H2_ERROR.NO_ERROR;
  }

  #set(id: number, value: number, isFromServer: boolean): number {
    switch (id) {
      case SETTING.HEADER_TABLE_SIZE:
        this.headerTableSize = value;
        this.smallestTableSize = Math.min(this.smallestTableSize, value);
        break;
      case SETTING.ENABLE_PUSH:
        // A server has nobody to allow it (RFC 9113 6.5.2); ours never pushes.
        if (value > 1 || (isFromServer && value === 1)) return H2_ERROR.PROTOCOL_ERROR;
        break;
      case SETTING.MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value;
        break;
      case SETTING.INITIAL_WINDOW_SIZE:
        if (value > 0x7fffffff) return H2_ERROR.FLOW_CONTROL_ERROR;
        this.initialWindow = value;
        break;
      case SETTING.MAX_FRAME_SIZE:
        if (value < 16_384 || value > 16_777_215) return H2_ERROR.PROTOCOL_ERROR;
        break;
      default:
    }
    return H2_ERROR.NO_ERROR;
  }
}

/** The payload of a SETTINGS frame. */
export function serialiseSettings(settings: readonly (readonly [id: number, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(settings.length * SETTING_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, [id, value]] of settings.entries()) {
    view.setUint16(index * SETTING_BYTES, id);
    view.setUint32(index * SETTING_BYTES + 2, value);
  }
  return bytes;
}
