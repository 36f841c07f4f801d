// All recordings of one daemon: begins them, knows which sessions last, ends them, reads them, and
// removes old ones. A recording is one JSONL file in `recordings/`, 0600; docs/sessions.md
// describes its lines.

import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { valueProblem } from "../../api/check-value.ts";
import { type SessionReport, sessionReport } from "../../api/session-report.ts";
import type {
  OpenRecording,
  RemoteRecording,
  RemoteSession,
  SessionRecorder,
} from "../../gateway/request/contracts/sessions.ts";
import { RecordingFile } from "../../gateway/stream/recording-file.ts";
import type { Ask } from "../../model/ask.ts";
import { UserError } from "../../model/user-error.ts";
import type { Session } from "../../protocols/kubectl/session.ts";
import { maskFreeText } from "../../redaction/mask-text.ts";
import type { Settings } from "../../state/settings/settings.ts";
import { parseDuration } from "../../text/duration.ts";
import { type SessionEnd, SessionRecording } from "./session-recording.ts";

/** The daemon's parts that recordings work with. */
export interface RecordingsParts {
  readonly directory: string;
  readonly settings: () => Pick<
    Settings,
    | "record_sessions"
    | "record_port_forward"
    | "record_stdin"
    | "recording_failure"
    | "recording_limit"
    | "recording_keep"
  >;
  /** Whether the disk has no room but for the audit log. */
  readonly isDiskFull: () => boolean;
  /** The row of a session that is over. */
  readonly ended: (ask: Ask, id: string, end: SessionEnd) => void;
  readonly log: (message: string, fields: Record<string, string | number>) => void;
}

interface Live {
  readonly recording: SessionRecording;
  readonly file: RecordingFile;
}

const NAME = /^sess_[0-9a-f]{8}\.jsonl$/;
const READ_MAX = 1024 * 1024;
const HEAD_MAX = 256 * 1024;
const TAIL = 64 * 1024;
const SWEEP_EVERY_MS = 60 * 60_000;

/** The recordings. */
export class Recordings implements SessionRecorder {
  readonly #parts: RecordingsParts;
  readonly #live = new Map<string, Live>();
  /** Those that another process writes, with the way to end them. */
  readonly #remote = new Map<string, () => void>();
  readonly #sweeper = setInterval(() => void this.sweep(), SWEEP_EVERY_MS).unref();

  constructor(parts: RecordingsParts) {
    this.#parts = parts;
  }

  async open(ask: Ask, session: Session, approvalId?: string): Promise<OpenRecording | string | undefined> {
    const settings = this.#parts.settings();
    const how = session.kind === "port-forward" ? settings.record_port_forward : settings.record_sessions;
    if (how === "off") return undefined;
    const endsOnFailure = settings.recording_failure === "closed";
    const id = `sess_${randomBytes(4).toString("hex")}`;
    const header = headerOf(id, ask, session, approvalId, how);
    const path = join(this.#parts.directory, `${id}.jsonl`);
    try {
      if (this.#parts.isDiskFull()) throw new Error("the disk is full");
      await mkdir(this.#parts.directory, { recursive: true, mode: 0o700 });
      let recording: SessionRecording | undefined;
      const file = await RecordingFile.create(path, JSON.stringify(header), (why) => recording?.fail(why));
      recording = new SessionRecording(
        session,
        {
          hasContent: how === "full",
          hasTyped: settings.record_stdin === "on",
          contentMax: settings.recording_limit,
          endsOnFailure,
        },
        file,
        (end) => void this.#over(id, ask, end),
      );
      this.#live.set(id, { recording, file });
      return { id, tap: recording };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#parts.log("a session is not recorded", { reason: why });
      return endsOnFailure ? `its session cannot be recorded (${why})` : undefined;
    }
  }

  async remote(session: RemoteSession): Promise<RemoteRecording | string | undefined> {
    const settings = this.#parts.settings();
    const { record_stdin, recording_limit: limit, recording_failure } = settings;
    const how = session.isForward ? settings.record_port_forward : settings.record_sessions;
    if (how === "off") return undefined;
    const endsOnFailure = recording_failure === "closed";
    const id = `sess_${randomBytes(4).toString("hex")}`;
    const isFull = how === "full" && !session.isTransfer;
    try {
      if (this.#parts.isDiskFull()) throw new Error("the disk is full");
      await mkdir(this.#parts.directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#parts.log("a session is not recorded", { reason: why });
      return endsOnFailure ? `its session cannot be recorded (${why})` : undefined;
    }
    this.#remote.set(id, session.end);
    return {
      id,
      path: join(this.#parts.directory, `${id}.jsonl`),
      header: remoteHeader(id, session, isFull),
      isFull,
      keepsTyped: record_stdin === "on",
      limit,
      endsOnFailure,
      over: () => void this.#remote.delete(id),
    };
  }

  async #over(id: string, ask: Ask, end: SessionEnd): Promise<void> {
    const live = this.#live.get(id);
    if (live === undefined) return;
    await live.file.close();
    this.#live.delete(id);
    if (live.recording.hasSwitched) this.#parts.ended(ask, id, end);
    else await rm(join(this.#parts.directory, `${id}.jsonl`), { force: true });
  }

  /** Every recording, newest first. */
  async list(): Promise<readonly SessionReport[]> {
    const names = await readdir(this.#parts.directory).catch(() => []);
    const reports: SessionReport[] = [];
    for (const name of names.filter((each) => NAME.test(each))) {
      const report = await this.#report(name.slice(0, -".jsonl".length)).catch(() => undefined);
      if (report !== undefined) reports.push(report);
    }
    return reports.sort((one, other) => other.started_ms - one.started_ms);
  }

  async #report(id: string): Promise<SessionReport | undefined> {
    const path = join(this.#parts.directory, `${id}.jsonl`);
    const { size } = await stat(path);
    await using file = await open(path, "r");
    const first = await piece(file, 0, Math.min(size, HEAD_MAX));
    const { version, ...header } = (parsed(first.slice(0, first.indexOf("\n"))) ?? {}) as Header & {
      readonly version?: unknown;
    };
    if (version !== 1 || header.id !== id) return undefined;
    const tail = await piece(file, Math.max(0, size - TAIL), Math.min(size, TAIL));
    const last = parsed(tail.trimEnd().split("\n").at(-1) ?? "") as { end?: EndLine } | undefined;
    const isOpen = this.#live.has(id) || this.#remote.has(id);
    const { end } = last ?? {};
    const report: SessionReport = {
      ...header,
      state: isOpen ? "open" : end === undefined ? "truncated" : "ended",
      bytes: size,
      ...(end === undefined
        ? {}
        : {
            seconds: end.seconds,
            octets: end.octets,
            sha256: end.sha256,
            ...(end.exit_code === undefined ? {} : { exit_code: end.exit_code }),
            ...(end.problem === undefined ? {} : { problem: end.problem }),
          }),
    };
    // A file that somebody else wrote hides no other.
    return valueProblem(sessionReport, report, "strict") === undefined ? report : undefined;
  }

  /** One by id, bare hex or unique prefix. Throws UserError. */
  async find(idOrPrefix: string): Promise<SessionReport> {
    const hint = "iddio session list";
    const wanted = idOrPrefix.toLowerCase().replace(/^sess_/, "");
    if (!/^[0-9a-f]{1,8}$/.test(wanted))
      throw new UserError(`'${idOrPrefix}' is not a session id`, { hint, exitCode: 2, code: "not-found" });
    const found = (await this.list()).filter(({ id }) => id.startsWith(`sess_${wanted}`));
    const [first, second] = found;
    if (first === undefined) throw new UserError(`no session '${idOrPrefix}'`, { hint, code: "not-found" });
    if (second !== undefined)
      throw new UserError(`'${idOrPrefix}' matches ${found.length} sessions`, { hint, code: "ambiguous" });
    return first;
  }

  /** Whole lines from an offset on; none when nothing has been added. */
  async read(
    idOrPrefix: string,
    offset: number,
  ): Promise<{ text: string; next_offset: number; is_open: boolean }> {
    const { id, state } = await this.find(idOrPrefix);
    const path = join(this.#parts.directory, `${id}.jsonl`);
    const { size } = await stat(path);
    await using file = await open(path, "r");
    const from = Math.max(0, Math.min(offset, size));
    const text = await piece(file, from, Math.min(size - from, READ_MAX));
    // A line may be cut off, by the bound or by a crash.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    return { text: whole, next_offset: from + Buffer.byteLength(whole), is_open: state === "open" };
  }

  /** Ends a session that lasts. Throws UserError when it does not. */
  async end(idOrPrefix: string): Promise<string> {
    const { id } = await this.find(idOrPrefix);
    const live = this.#live.get(id);
    const endRemote = this.#remote.get(id);
    if (endRemote !== undefined) {
      endRemote();
      return id;
    }
    if (live === undefined)
      throw new UserError(`the session '${id}' is over`, { hint: "iddio session list", code: "ended" });
    live.recording.end();
    return id;
  }

  /** Removes recordings that are older than the setting allows. */
  async sweep(): Promise<void> {
    const keepMs = parseDuration(this.#parts.settings().recording_keep) ?? Number.POSITIVE_INFINITY;
    for (const name of await readdir(this.#parts.directory).catch(() => [])) {
      const id = name.slice(0, -".jsonl".length);
      if (!NAME.test(name) || this.#live.has(id) || this.#remote.has(id)) continue;
      const path = join(this.#parts.directory, name);
      const facts = await stat(path).catch(() => undefined);
      if (facts !== undefined && Date.now() - facts.mtimeMs > keepMs) await rm(path, { force: true });
    }
  }

  /** Closes the open recordings. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    for (const { recording } of [...this.#live.values()]) recording.over();
    while (this.#live.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

type Header = Omit<SessionReport, "state" | "bytes">;

interface EndLine {
  readonly seconds: number;
  readonly exit_code?: number;
  readonly problem?: string;
  readonly octets: Readonly<Record<string, number>>;
  readonly sha256: Readonly<Record<string, string>>;
}

function headerOf(
  id: string,
  ask: Ask,
  { kind, namespace, pod, container, argv, isTty }: Session,
  approvalId: string | undefined,
  content: "full" | "metadata",
): Header & { readonly version: 1 } {
  const { client } = ask.subject;
  return {
    version: 1,
    id,
    request_id: ask.id,
    kind,
    content,
    host: ask.target.name,
    namespace,
    pod,
    // A command line may hold a password; the session itself is kept as it is.
    argv: argv.map(maskFreeText),
    is_tty: isTty,
    started_ms: Date.now(),
    ...(container === "" ? {} : { container }),
    ...(approvalId === undefined ? {} : { approval_id: approvalId }),
    ...(client?.user === undefined ? {} : { user: client.user }),
    ...(client?.run === undefined ? {} : { run: client.run }),
  };
}

function remoteHeader(
  id: string,
  { host, user, argv, isTerminal, client }: RemoteSession,
  isFull: boolean,
): Header & { readonly version: 1 } {
  return {
    version: 1,
    id,
    request_id: "",
    kind: "ssh",
    content: isFull ? "full" : "metadata",
    host,
    remote_user: user,
    argv: argv.map(maskFreeText),
    is_tty: isTerminal,
    started_ms: Date.now(),
    ...(client?.user === undefined ? {} : { user: client.user }),
    ...(client?.run === undefined ? {} : { run: client.run }),
  };
}

async function piece(file: Awaited<ReturnType<typeof open>>, from: number, length: number): Promise<string> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, from);
  return bytes.toString("utf8", 0, bytesRead);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
