// The receiving half of an HTTP/2 connection: the order of frames, and the messages in HEADERS and
// DATA (RFC 9113 sections 5, 6 and 8). Every rule ends in one of three: an event, a stream error, a
// fault. Header blocks are decoded whatever becomes of them, since HPACK's tables must stay in
// step.

import { HpackDecoder } from "../hpack/decoder.ts";
import { Http2ControlFrames } from "./control-frames.ts";
import type { Http2Core } from "./core.ts";
import { H2_ERROR } from "./error-code.ts";
import { fault, type Http2Fault } from "./fault.ts";
import { Http2FieldSection } from "./field-section.ts";
import { FLAG, FRAME, readUint31 } from "./frame.ts";
import { Http2FrameReader, type Http2FrameSink } from "./frame-reader.ts";
import { Http2HeaderBlock } from "./header-block.ts";
import type { Http2StreamRecord } from "./stream.ts";

/** A peer that has sent so many frames has had the time to acknowledge our SETTINGS. */
const FRAMES_BEFORE_ACKNOWLEDGEMENT = 10_000;
const TOO_LARGE = [[":status", "431"]] as const;

const BAD_PADDING = fault(H2_ERROR.PROTOCOL_ERROR, "padding longer than its frame");
const ENDLESS_BLOCK = fault(H2_ERROR.ENHANCE_YOUR_CALM, "header block without end");
const SELF_DEPENDENT = "stream that depends on itself";
const TOO_SHORT = "body shorter than its content-length";
/** Frames of patience that a message is worth. */
const MESSAGE_EARNS = 8;
/** DATA on a stream that we have reset costs the peer more than us from here on. */
const LATE_DATA_BYTES = 256;

/** Reads the peer's octets and changes the connection's state by them. */
export class Http2Receiver implements Http2FrameSink {
  readonly #core: Http2Core;
  readonly #reader: Http2FrameReader;
  readonly #decoder = new HpackDecoder();
  readonly #section: Http2FieldSection;
  readonly #block: Http2HeaderBlock;
  readonly #control: Http2ControlFrames;
  /** The stream of the DATA frame under way; undefined when its data is not wanted. */
  #dataStream: Http2StreamRecord | undefined;
  #dataEnds = false;
  #frames = 0;
  #units = 0;

  constructor(core: Http2Core) {
    this.#core = core;
    this.#control = new Http2ControlFrames(core);
    const { maxHeaderListBytes, maxFrameSize } = core.limits;
    this.#reader = new Http2FrameReader(this, maxFrameSize, core.isServer);
    this.#section = new Http2FieldSection(maxHeaderListBytes, core.isServer);
    this.#block = new Http2HeaderBlock(Math.max(maxHeaderListBytes * 2, maxFrameSize));
  }

  push(bytes: Uint8Array): void {
    this.#core.patience.onPacket();
    this.#reader.push(bytes);
  }

  get isClosed(): boolean {
    return this.#core.isFailed;
  }

  /** Frames that have come whole; a header block counts as one, and DATA from its start. */
  get unitsRead(): number {
    return this.#units;
  }

  /** Part of a unit has come, and the rest has not. */
  get isInsideUnit(): boolean {
    return this.#block.streamId !== 0 || this.#reader.isInsideFrame;
  }

  get isAcknowledged(): boolean {
    return this.#control.isAcknowledged;
  }

  onBadPreface(): void {
    this.#core.fail(fault(H2_ERROR.PROTOCOL_ERROR, "no HTTP/2 connection preface"));
  }

  onTooLargeFrame(): void {
    this.#core.fail(fault(H2_ERROR.FRAME_SIZE_ERROR, "frame larger than allowed"));
  }

  onBadPadding(): void {
    this.#core.fail(BAD_PADDING);
  }

  onFrame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const core = this.#core;
    let problem = this.#sequenceProblem(type, flags, streamId);
    if (problem === undefined) {
      if (type === FRAME.HEADERS) problem = this.#onHeaders(flags, streamId, bytes, start, end);
      else if (type === FRAME.CONTINUATION) problem = this.#onContinuation(flags, bytes, start, end);
      else problem = this.#control.onFrame(type, flags, streamId, bytes, start, end);
    }
    if (this.#block.streamId === 0) this.#units++;
    if (problem === undefined) core.checkPatience();
    else core.fail(problem);
  }

  /** The rules about the order of frames, before any about the frame itself. */
  #sequenceProblem(type: number, flags: number, streamId: number): Http2Fault | undefined {
    if (!this.#core.hasPeerSettings && (type !== FRAME.SETTINGS || (flags & FLAG.ACK) !== 0))
      return fault(H2_ERROR.PROTOCOL_ERROR, "first frame is not SETTINGS");
    const open = this.#block.streamId;
    if (open !== 0 ? type !== FRAME.CONTINUATION || streamId !== open : type === FRAME.CONTINUATION)
      return fault(H2_ERROR.PROTOCOL_ERROR, "header block interrupted or not begun");
    if (++this.#frames > FRAMES_BEFORE_ACKNOWLEDGEMENT && !this.#control.isAcknowledged)
      return fault(H2_ERROR.SETTINGS_TIMEOUT, "settings not acknowledged");
    return undefined;
  }

  #onHeaders(
    flags: number,
    streamId: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Http2Fault | undefined {
    const core = this.#core;
    if ((streamId & 1) === 0 || (!core.isServer && core.streams.isIdle(streamId)))
      return fault(H2_ERROR.PROTOCOL_ERROR, "headers on a stream that the peer may not open");
    let from = start;
    let to = end;
    if ((flags & FLAG.PADDED) !== 0) {
      if (from === end) return BAD_PADDING;
      to -= bytes[from++] as number;
    }
    let isSelfDependent = false;
    if ((flags & FLAG.PRIORITY) !== 0) {
      if (from + 5 > end) return fault(H2_ERROR.FRAME_SIZE_ERROR, "headers frame too short");
      isSelfDependent = readUint31(bytes, from) === streamId;
      from += 5;
    }
    if (to < from) return BAD_PADDING;
    const endStream = (flags & FLAG.END_STREAM) !== 0;
    if ((flags & FLAG.END_HEADERS) !== 0)
      return this.#onBlock(streamId, endStream, isSelfDependent, bytes, from, to);
    this.#block.open(streamId, endStream, isSelfDependent);
    return this.#block.add(bytes, from, to) ? undefined : ENDLESS_BLOCK;
  }

  #onContinuation(flags: number, bytes: Uint8Array, start: number, end: number): Http2Fault | undefined {
    const block = this.#block;
    if (!block.add(bytes, start, end)) return ENDLESS_BLOCK;
    if ((flags & FLAG.END_HEADERS) === 0) return undefined;
    const { streamId, endStream, isSelfDependent, bytes: whole, length } = block;
    block.close();
    return this.#onBlock(streamId, endStream, isSelfDependent, whole, 0, length);
  }

  #onBlock(
    streamId: number,
    endStream: boolean,
    isSelfDependent: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Http2Fault | undefined {
    const core = this.#core;
    const section = this.#section;
    section.start();
    const outcome = this.#decoder.decode(bytes, start, end, section);
    if (outcome === "malformed") return fault(H2_ERROR.COMPRESSION_ERROR, "malformed header block");
    if (outcome === "bomb") return fault(H2_ERROR.ENHANCE_YOUR_CALM, "header list far too large");
    const stream = core.streams.get(streamId);
    if (stream !== undefined) this.#onStreamHeaders(stream, endStream, isSelfDependent);
    else if (core.isServer && streamId > core.streams.highestPeerId)
      this.#onRequest(streamId, endStream, isSelfDependent);
    else return this.#onLate(streamId, 0);
    return undefined;
  }

  #onRequest(streamId: number, endStream: boolean, isSelfDependent: boolean): void {
    const core = this.#core;
    const section = this.#section;
    core.streams.onPeerId(streamId);
    // The peer has been told that these are not served; it may open them elsewhere.
    if (core.goAwaySent !== undefined && streamId > core.goAwaySent) {
      core.streams.end(streamId, "reset-by-us");
      core.patience.spend(1);
    } else if (core.streams.size >= core.limits.maxConcurrentStreams)
      core.failStream(streamId, H2_ERROR.REFUSED_STREAM, "too many streams at once");
    else if (section.isTooLarge) {
      core.patience.spendReset();
      core.answer(streamId, TOO_LARGE, endStream);
      core.events.push({ kind: "refused", streamId, reason: "header list too large" });
    } else {
      let problem = isSelfDependent ? SELF_DEPENDENT : section.requestProblem();
      if (endStream && section.contentLength > 0) problem ??= TOO_SHORT;
      if (problem === undefined) this.#acceptRequest(core.addStream(streamId), endStream);
      else core.failStream(streamId, H2_ERROR.PROTOCOL_ERROR, problem);
    }
  }

  #acceptRequest(stream: Http2StreamRecord, endStream: boolean): void {
    stream.hasRemoteHead = true;
    stream.expectBody(this.#section.contentLength);
    this.#core.patience.earn(MESSAGE_EARNS);
    this.#deliver(stream, endStream, false, false);
  }

  /** A response, interim or final, or trailers. */
  #onStreamHeaders(stream: Http2StreamRecord, endStream: boolean, isSelfDependent: boolean): void {
    const core = this.#core;
    const section = this.#section;
    const isTrailers = stream.hasRemoteHead;
    const isInterim = !isTrailers && section.status < 200;
    let code: number = H2_ERROR.PROTOCOL_ERROR;
    let problem: string | undefined;
    if (stream.isRemoteEnded) {
      code = H2_ERROR.STREAM_CLOSED;
      problem = "headers after the end of the stream";
    } else if (section.isTooLarge) {
      code = H2_ERROR.ENHANCE_YOUR_CALM;
      problem = "header list too large";
    } else if (isSelfDependent) problem = SELF_DEPENDENT;
    else problem = isTrailers ? section.trailerProblem(endStream) : section.responseProblem(endStream);
    if (problem === undefined && !isTrailers && !isInterim) problem = this.#expectResponseBody(stream);
    if (problem === undefined && endStream && !stream.isBodyWhole) problem = TOO_SHORT;
    if (problem !== undefined) {
      core.failStream(stream.id, code, problem);
      return;
    }
    if (isInterim) core.patience.spend(1);
    else {
      stream.hasRemoteHead = true;
      core.patience.earn(MESSAGE_EARNS);
    }
    this.#deliver(stream, endStream, isTrailers, isInterim);
  }

  /** RFC 9110 6.4.1: which responses have no content, whatever length they state. */
  #expectResponseBody(stream: Http2StreamRecord): string | undefined {
    const { status, contentLength } = this.#section;
    if (status === 204 && contentLength > 0) return "body in a response that has none";
    stream.expectBody(stream.isHead || status === 204 || status === 304 ? 0 : contentLength);
    return undefined;
  }

  #deliver(stream: Http2StreamRecord, endStream: boolean, isTrailers: boolean, isInterim: boolean): void {
    const streamId = stream.id;
    const { headers } = this.#section;
    this.#core.events.push({ kind: "headers", streamId, headers, endStream, isTrailers, isInterim });
    if (endStream) this.#core.onRemoteEnd(stream);
  }

  /** DATA or HEADERS on a stream that is over, or was passed over; `length` of DATA. */
  #onLate(streamId: number, length: number): Http2Fault | undefined {
    const core = this.#core;
    const ending = core.streams.endingOf(streamId);
    if (ending === "never") return fault(H2_ERROR.PROTOCOL_ERROR, "frame on a stream that was passed over");
    if (ending === "ended") return fault(H2_ERROR.STREAM_CLOSED, "frame on a stream that has ended");
    if (ending === "reset-by-peer")
      core.failStream(streamId, H2_ERROR.STREAM_CLOSED, "frame on a stream that the peer has reset");
    // Was under way when we reset it, a window of it at most if it is honest; small pieces would be a flood.
    else if (length < LATE_DATA_BYTES) core.patience.spend(1);
    return undefined;
  }

  onDataStart(streamId: number, flags: number, length: number, padding: number): void {
    const core = this.#core;
    this.#dataStream = undefined;
    this.#units++;
    const problem =
      this.#sequenceProblem(FRAME.DATA, flags, streamId) ??
      this.#onDataFrame(streamId, flags, length, padding);
    if (problem === undefined) core.checkPatience();
    else core.fail(problem);
  }

  #onDataFrame(streamId: number, flags: number, length: number, padding: number): Http2Fault | undefined {
    const core = this.#core;
    if (core.streams.isIdle(streamId)) return fault(H2_ERROR.PROTOCOL_ERROR, "data on an idle stream");
    if (!core.receiveOnConnection(length))
      return fault(H2_ERROR.FLOW_CONTROL_ERROR, "more data than the connection's window");
    const stream = core.streams.get(streamId);
    const endStream = (flags & FLAG.END_STREAM) !== 0;
    const problem = stream === undefined ? this.#onLate(streamId, length) : undefined;
    if (stream === undefined || !this.#acceptData(stream, length, length - padding, endStream)) {
      core.returnToConnection(length);
      return problem;
    }
    // Nobody reads padding: it is given back at once.
    core.returnToConnection(padding);
    core.returnToStream(stream, padding);
    if (length > padding || endStream) core.patience.earn(1 + (length >> 10));
    else core.patience.spend(1);
    this.#dataStream = stream;
    this.#dataEnds = endStream;
    return undefined;
  }

  /** False when the frame made the stream fail. */
  #acceptData(stream: Http2StreamRecord, length: number, dataLength: number, endStream: boolean): boolean {
    const isWithinWindow = stream.receiveWindow.take(length);
    let code: number = H2_ERROR.PROTOCOL_ERROR;
    let problem: string | undefined;
    if (stream.isRemoteEnded) {
      code = H2_ERROR.STREAM_CLOSED;
      problem = "data after the end of the stream";
    } else if (!stream.hasRemoteHead) problem = "data before a final response";
    else if (!isWithinWindow) {
      code = H2_ERROR.FLOW_CONTROL_ERROR;
      problem = "more data than the stream's window";
    } else if (!stream.acceptBody(dataLength)) problem = "body longer than its content-length";
    else if (endStream && !stream.isBodyWhole) problem = TOO_SHORT;
    if (problem === undefined) return true;
    this.#core.failStream(stream.id, code, problem);
    return false;
  }

  onData(bytes: Uint8Array, start: number, end: number, isLast: boolean): void {
    const stream = this.#dataStream;
    const core = this.#core;
    if (stream === undefined || core.isFailed) return;
    const flowBytes = end - start;
    if (stream.isGone) {
      core.returnToConnection(flowBytes);
      return;
    }
    const endStream = isLast && this.#dataEnds;
    if (flowBytes === 0 && !endStream) return;
    const view = flowBytes === bytes.length ? bytes : bytes.subarray(start, end);
    core.events.push({ kind: "data", streamId: stream.id, bytes: view, flowBytes, endStream });
    if (endStream) core.onRemoteEnd(stream);
  }
}
