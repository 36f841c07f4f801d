// Frames of HTTP/2 that carry no part of a message: windows, resets, settings, pings, priorities,
// the end (RFC 9113 6.3 to 6.9). Each costs its sender patience, for each costs us more than the
// peer.

import type { Http2Core } from "./core.ts";
import { H2_ERROR } from "./error-code.ts";
import { fault, type Http2Fault } from "./fault.ts";
import { FLAG, FRAME, FRAME_HEADER_BYTES, readUint31, readUint32 } from "./frame.ts";
import { SETTING_BYTES } from "./settings.ts";

const PING_BYTES = 8;
const PRIORITY_BYTES = 5;
const WINDOW_TOO_LARGE = fault(H2_ERROR.FLOW_CONTROL_ERROR, "window too large");

/** Acts on these frames for one connection; a fault ends it. */
export class Http2ControlFrames {
  readonly #core: Http2Core;
  #isAcknowledged = false;

  constructor(core: Http2Core) {
    this.#core = core;
  }

  /** Whether the peer has said that it knows our SETTINGS. */
  get isAcknowledged(): boolean {
    return this.#isAcknowledged;
  }

  /** Any frame but DATA, HEADERS and CONTINUATION; unknown ones are ignored (RFC 9113 5.5). */
  onFrame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Http2Fault | undefined {
    switch (type) {
      case FRAME.WINDOW_UPDATE:
        return this.#onWindowUpdate(streamId, bytes, start, end);
      case FRAME.RST_STREAM:
        return this.#onReset(streamId, bytes, start, end);
      case FRAME.SETTINGS:
        return this.#onSettings(flags, streamId, bytes, start, end);
      case FRAME.PING:
        return this.#onPing(flags, streamId, bytes, start, end);
      case FRAME.PRIORITY:
        return this.#onPriority(streamId, bytes, start, end);
      case FRAME.GOAWAY:
        return this.#onGoAway(streamId, bytes, start, end);
      case FRAME.PUSH_PROMISE:
        return fault(H2_ERROR.PROTOCOL_ERROR, "push promise where none is allowed");
      default:
        this.#core.patience.spend(1);
        return undefined;
    }
  }

  #onWindowUpdate(streamId: number, bytes: Uint8Array, start: number, end: number): Http2Fault | undefined {
    const core = this.#core;
    core.patience.spend(1);
    if (end - start !== 4) return fault(H2_ERROR.FRAME_SIZE_ERROR, "window update of a wrong size");
    const octets = readUint31(bytes, start);
    if (streamId === 0) {
      if (octets === 0) return fault(H2_ERROR.PROTOCOL_ERROR, "window update of nothing");
      return core.sender.openConnection(octets) ? undefined : WINDOW_TOO_LARGE;
    }
    if (core.streams.isIdle(streamId))
      return fault(H2_ERROR.PROTOCOL_ERROR, "window update on an idle stream");
    const stream = core.streams.get(streamId);
    if (stream === undefined) return undefined;
    if (octets === 0) core.failStream(streamId, H2_ERROR.PROTOCOL_ERROR, "window update of nothing");
    else if (!core.sender.openStream(stream, octets))
      core.failStream(streamId, WINDOW_TOO_LARGE.code, WINDOW_TOO_LARGE.reason);
    return undefined;
  }

  #onReset(streamId: number, bytes: Uint8Array, start: number, end: number): Http2Fault | undefined {
    const core = this.#core;
    if (core.streams.isIdle(streamId)) return fault(H2_ERROR.PROTOCOL_ERROR, "reset of an idle stream");
    if (end - start !== 4) return fault(H2_ERROR.FRAME_SIZE_ERROR, "reset of a wrong size");
    const stream = core.streams.get(streamId);
    if (stream === undefined) {
      core.patience.spend(1);
      return undefined;
    }
    // Given up before it was answered, or starved by its own window: it cost the peer nothing, and us a request.
    if (core.isServer && (!stream.hasLocalHead || stream.isListed)) core.patience.spendReset();
    core.drop(stream, "reset-by-peer");
    const code = readUint32(bytes, start);
    core.events.push({ kind: "reset", streamId, code, isOurs: false, reason: "reset by the peer" });
    return undefined;
  }

  #onSettings(
    flags: number,
    streamId: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Http2Fault | undefined {
    if (streamId !== 0) return fault(H2_ERROR.PROTOCOL_ERROR, "settings on a stream");
    if ((flags & FLAG.ACK) !== 0) return this.#onAcknowledgement(end - start);
    if ((end - start) % SETTING_BYTES !== 0)
      return fault(H2_ERROR.FRAME_SIZE_ERROR, "settings of a wrong size");
    const core = this.#core;
    const { peer } = core;
    const code = peer.read(bytes, start, end, !core.isServer);
    if (code !== H2_ERROR.NO_ERROR) return fault(code, "setting out of range");
    core.hasPeerSettings = true;
    core.encoder.limitTable(peer.smallestTableSize);
    core.encoder.limitTable(peer.headerTableSize);
    // Every stream's window may change.
    core.patience.spend(1 + (core.streams.size >> 3));
    core.output.frame(FRAME.SETTINGS, FLAG.ACK, 0, bytes, 0, 0);
    core.patience.onReply(FRAME_HEADER_BYTES);
    if (!core.sender.changeInitialWindow(peer.initialWindow, core.streams.values())) return WINDOW_TOO_LARGE;
    core.events.push({ kind: "settings" });
    return undefined;
  }

  #onAcknowledgement(length: number): Http2Fault | undefined {
    if (length !== 0) return fault(H2_ERROR.FRAME_SIZE_ERROR, "acknowledgement with settings");
    if (this.#isAcknowledged) return fault(H2_ERROR.PROTOCOL_ERROR, "settings acknowledged twice");
    this.#isAcknowledged = true;
    this.#core.onSettingsAcknowledged();
    return undefined;
  }

  #onPing(
    flags: number,
    streamId: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Http2Fault | undefined {
    const core = this.#core;
    if (streamId !== 0) return fault(H2_ERROR.PROTOCOL_ERROR, "ping on a stream");
    if (end - start !== PING_BYTES) return fault(H2_ERROR.FRAME_SIZE_ERROR, "ping of a wrong size");
    if ((flags & FLAG.ACK) !== 0 && core.unansweredPings > 0) {
      core.unansweredPings--;
      return undefined;
    }
    core.patience.spend(1);
    if ((flags & FLAG.ACK) !== 0) return undefined;
    core.output.frame(FRAME.PING, FLAG.ACK, 0, bytes, start, end);
    core.patience.onReply(FRAME_HEADER_BYTES + PING_BYTES);
    return undefined;
  }

  #onPriority(streamId: number, bytes: Uint8Array, start: number, end: number): Http2Fault | undefined {
    const core = this.#core;
    core.patience.spend(1);
    if (streamId === 0) return fault(H2_ERROR.PROTOCOL_ERROR, "priority of no stream");
    const isWrongSize = end - start !== PRIORITY_BYTES;
    if (!isWrongSize && readUint31(bytes, start) !== streamId) return undefined;
    const code = isWrongSize ? H2_ERROR.FRAME_SIZE_ERROR : H2_ERROR.PROTOCOL_ERROR;
    const reason = isWrongSize ? "priority of a wrong size" : "stream that depends on itself";
    // A stream that is not open cannot be reset.
    if (!core.streams.has(streamId)) return fault(code, reason);
    core.failStream(streamId, code, reason);
    return undefined;
  }

  #onGoAway(streamId: number, bytes: Uint8Array, start: number, end: number): Http2Fault | undefined {
    const core = this.#core;
    core.patience.spend(1);
    if (streamId !== 0) return fault(H2_ERROR.PROTOCOL_ERROR, "goaway on a stream");
    if (end - start < 8) return fault(H2_ERROR.FRAME_SIZE_ERROR, "goaway of a wrong size");
    const lastStreamId = readUint31(bytes, start);
    if (!core.isServer && lastStreamId > (core.goAwayReceived ?? lastStreamId))
      return fault(H2_ERROR.PROTOCOL_ERROR, "goaway that takes back an earlier one");
    core.goAwayReceived = lastStreamId;
    core.events.push({ kind: "goaway", lastStreamId, code: readUint32(bytes, start + 4) });
    if (!core.isServer) this.#giveUpAbove(lastStreamId);
    return undefined;
  }

  /** RFC 9113 6.8: the server has not looked at these, so they may be sent again elsewhere. */
  #giveUpAbove(lastStreamId: number): void {
    const core = this.#core;
    const reason = "not served before the connection's end";
    for (const stream of [...core.streams.values()]) {
      if (stream.id <= lastStreamId) continue;
      core.drop(stream, "reset-by-us");
      const { id } = stream;
      core.events.push({ kind: "reset", streamId: id, code: H2_ERROR.REFUSED_STREAM, isOurs: false, reason });
    }
  }
}
