// Judges one session by the policy: who may log in where, and each wish of a channel. A host is
// judged under every name that it goes by (as asked, as the operator's ssh has it, by address), and
// the strictest verdict counts.

import type { Carried } from "../../gateway/request/ask-runner.ts";
import { runAsk } from "../../gateway/request/ask-runner.ts";
import type { ClientOwner } from "../../gateway/request/client-owner.ts";
import type { Gateway } from "../../gateway/request/context.ts";
import type { RemoteRecording } from "../../gateway/request/contracts/sessions.ts";
import { askDigest } from "../../gateway/request/fingerprint.ts";
import type { Destination } from "../../gateway/request/inspection/inspection.ts";
import type { Events } from "../../gateway/request/records/events.ts";
import type { Ending } from "../../gateway/request/stages/stage.ts";
import type { InspectEntry } from "../../match/inspect-entry.ts";
import { InspectIndex } from "../../match/inspect-index.ts";
import type { Evidence, Subject } from "../../model/ask.ts";
import { assertNever } from "../../model/assert-never.ts";
import type { Judgement } from "../../model/verdict.ts";
import { judgeWish } from "../../policy/decide/judge-wish.ts";
import { routeOf } from "../../policy/decide/route.ts";
import type { Policy } from "../../policy/policy.ts";
import { refusalMessage } from "../../protocols/refusal.ts";
import { classifyWish, isNeverCarried } from "../../protocols/ssh/classify-wish.ts";
import { folderOf, isFileBelow } from "../../protocols/ssh/file-operation.ts";
import { isPlainHost } from "../../protocols/ssh/target.ts";
import { maskFreeText } from "../../redaction/mask-text.ts";
import type { ChannelEnd, DialledTarget, FromSession, RecordingOrder, ToSession, Wish } from "./link.ts";

/** The daemon's parts that judging works with. */
export interface JudgeParts {
  /** Asked each time: the gate is made before the gateway is. */
  readonly gateway: () => Gateway;
  readonly events: Events;
}

/** A client and where it wants to go. */
interface Client {
  readonly owner: ClientOwner;
  readonly destination: Destination;
  readonly name: string;
}

/** Where a session that logged in leads. */
interface Login {
  readonly user: string;
  readonly target: DialledTarget;
  /** Every name of the host. */
  readonly hosts: readonly string[];
}

interface Open {
  /** Withdraws the waiting asks. */
  left?: () => void;
  ended?: (end: ChannelEnd) => void;
}

/** Answers one session. */
export class SessionJudge {
  readonly #parts: JudgeParts;
  readonly #client: Client;
  readonly #send: (line: ToSession) => void;
  readonly #open = new Map<number, Open>();
  readonly #approved: { readonly channel: number; readonly folder: string }[] = [];
  #login: Login | undefined;
  #isLoggingIn = false;
  #isClosed = false;

  constructor(parts: JudgeParts, client: Client, send: (line: ToSession) => void) {
    this.#parts = parts;
    this.#client = client;
    this.#send = send;
  }

  /** A line from the session. */
  take(line: FromSession): void {
    switch (line.type) {
      case "login":
        void this.#logIn(line.id, line.user, line.target);
        return;
      case "ask":
        void this.#ask(line.id, line.wish);
        return;
      case "left":
        this.#open.get(line.id)?.left?.();
        return;
      case "end":
        this.#open.get(line.id)?.ended?.(line.end);
        return;
      default:
        assertNever(line);
    }
  }

  /** The session has ended: waiting asks are withdrawn, running ones have broken off. */
  close(): void {
    this.#isClosed = true;
    for (const { left, ended } of [...this.#open.values()]) {
      left?.();
      ended?.({ code: undefined, toRemote: 0, fromRemote: 0, reason: "the connection broke off" });
    }
  }

  async #logIn(id: number, user: string, target: DialledTarget): Promise<void> {
    const gateway = this.#parts.gateway();
    const { destination, name, owner } = this.#client;
    const refuse = (reason: string) => {
      gateway.recorder.blocked({
        host: target.host,
        port: target.port,
        protocol: "ssh",
        reason,
        ...(owner.identity ? { client: owner.identity } : {}),
      });
      this.#send({ type: "refuse", id, text: `iddio refused the SSH connection: ${reason}` });
    };
    // Where it leads is found out in between; a second one must not come in meanwhile.
    if (this.#isLoggingIn || this.#login !== undefined) return refuse("it has logged in already");
    this.#isLoggingIn = true;
    if (!isPlainHost(name) || !isPlainHost(target.host)) return refuse("the host's name is not plain");
    if (target.problem !== undefined) return refuse(target.problem);
    const addresses = await gateway.dialler.resolve(target.host, target.port).catch(() => []);
    const hosts = [...new Set([target.host, name.toLowerCase(), destination.host, ...addresses])];
    const { policy } = gateway.inspection;
    // The dialled host must itself be in the policy, whatever name was asked for.
    const dialled = [target.host, name.toLowerCase(), ...addresses];
    const entries = entriesFor(policy, dialled, target.port);
    if (!dialled.some((host) => routeOf(policy, { host, port: target.port })?.protocol === "ssh"))
      return refuse(
        `the policy does not list ${target.host}:${target.port}, to which '${name}' leads, under ssh`,
      );
    // An entry with a user is for that user alone; iddio holds the operator's keys, so nobody else gets in by it.
    if (!entries.some((entry) => entry.user === undefined || entry.user === user))
      return refuse(`the policy lists ${target.host} for other users than ${user}`);
    this.#login = { user, target, hosts };
    this.#send({ type: "go", id });
  }

  async #ask(id: number, wish: Wish): Promise<void> {
    const login = this.#login;
    if (login === undefined || this.#isClosed)
      return this.#send({ type: "refuse", id, text: "iddio refused it: nobody has logged in" });
    const open: Open = {};
    this.#open.set(id, open);
    const classified = classifyWish(wish);
    const text = textOf(wish);
    const subject = this.#subject(login);
    const digest = askDigest("ssh", [...this.#who(login), JSON.stringify(wish)]);
    let isHeld = false;
    let recording: RemoteRecording | string | undefined;
    const stopTelling = this.#tellWhenHeld(id, digest, () => {
      isHeld = true;
    });
    let isAnswered = false;
    const answer = (line: ToSession) => {
      isAnswered = true;
      stopTelling();
      this.#send(line);
    };
    const carried: Carried = {
      asked: {
        carrier: "ssh",
        target: { name: login.target.host, port: login.target.port },
        subject,
        fields: { method: wish.kind.toUpperCase(), path: maskFreeText(text), ssh_user: login.user },
        evidence: this.#evidence(login, wish, maskFreeText(text)),
        digest,
        heldBytes: Buffer.byteLength(text),
      },
      judge: (policy, asker) => {
        const place = { host: login.target.host, hosts: login.hosts, user: login.user };
        const judged = judgeWish(policy, classified, place, asker);
        return isNeverCarried(wish) ? neverCarried(judged) : this.#covered(wish, judged);
      },
      onLeave: (left) => {
        open.left = left;
        return () => {
          delete open.left;
        };
      },
      refuse: (refusal) => answer({ type: "refuse", id, text: refusalMessage(refusal) }),
      forward: async (ended) => {
        const { promise, resolve } = Promise.withResolvers<ChannelEnd>();
        open.ended = resolve;
        if (isHeld) this.#cover(wish, classified.classification.tier);
        recording = await this.#record(id, wish, login, classified.isExact);
        if (typeof recording === "string") {
          answer({ type: "refuse", id, text: `iddio refused it: ${recording}` });
          ended({ failure: recording });
          return;
        }
        answer({
          type: "go",
          id,
          ...(recording === undefined ? {} : { recording: orderOf(recording, wish) }),
        });
        if (this.#isClosed)
          resolve({ code: undefined, toRemote: 0, fromRemote: 0, reason: "the connection broke off" });
        const end = await promise;
        recording?.over();
        ended(endingOf(end, recording?.id));
      },
    };
    try {
      await runAsk(this.#parts.gateway(), carried);
    } catch (error) {
      this.#parts.gateway().log.error("ssh ask failed", { reason: String(error) });
      if (!isAnswered) answer({ type: "refuse", id, text: "iddio refused it: judging failed" });
    } finally {
      stopTelling();
      this.#open.delete(id);
    }
  }

  /** Begins the recording of a channel; files are part of one. */
  async #record(
    id: number,
    wish: Wish,
    { user, target }: Login,
    isOne: boolean,
  ): Promise<RemoteRecording | string | undefined> {
    if (wish.kind === "file") return undefined;
    return this.#parts.gateway().sessions?.remote({
      host: target.host,
      user,
      argv: [textOf(wish)],
      isTerminal: wish.kind === "shell" || (wish.kind === "exec" && wish.pty),
      // Only that one program: what stands behind it must not go unrecorded.
      isTransfer: wish.kind === "exec" && isOne && TRANSFER.test(wish.command),
      isForward: wish.kind === "forward",
      client: this.#client.owner.identity,
      end: () => this.#send({ type: "stop", id }),
    });
  }

  /** A yes to one change of a file counts for others of the same folder in the same channel. */
  #cover(wish: Wish, tier: string): void {
    const folder = coverable(wish) && tier === "modify" ? folderOf(wish.paths[0] ?? "") : undefined;
    if (folder !== undefined && wish.kind === "file") this.#approved.push({ channel: wish.channel, folder });
  }

  #covered(wish: Wish, judged: Judgement): Judgement {
    if (!coverable(wish) || judged.verdict.action !== "escalate" || judged.classification.tier !== "modify")
      return judged;
    const found = this.#approved.find(
      ({ channel, folder }) =>
        channel === wish.channel && wish.paths.every((path) => isFileBelow(path, folder)),
    );
    if (found === undefined) return judged;
    const reason = `a person approved changes below ${found.folder} in this transfer`;
    return { ...judged, verdict: { ...judged.verdict, action: "allow", reason } };
  }

  #who({ user, target }: Login): readonly string[] {
    const { run_id: runId = "" } = this.#client.owner.identity ?? {};
    return [user, target.host, String(target.port), runId];
  }

  #subject(login: Login): Subject {
    // The keys are the operator's; anyone who uses them as this user on this host is the same asker.
    return {
      client: this.#client.owner.identity,
      credential: askDigest("ssh", ["credential", ...this.#who(login)]),
    };
  }

  #evidence({ user, target }: Login, wish: Wish, text: string): readonly Evidence[] {
    const { name } = this.#client;
    const where = `${user}@${target.host}:${target.port}`;
    return [
      { label: "Command", text },
      { label: "Host", text: name.toLowerCase() === target.host ? where : `${where} (asked for as ${name})` },
      ...(coverable(wish) && folderOf(wish.paths[0] ?? "") !== undefined
        ? [
            {
              label: "Also",
              text: `further changes of files below ${folderOf(wish.paths[0] ?? "")} in this transfer`,
            },
          ]
        : []),
      ...(wish.kind === "exec" && wish.pty
        ? [{ label: "Terminal", text: "yes: a pager or an editor may open" }]
        : []),
    ];
  }

  /** Says so once to the client when a person has to decide. Returns the way to stop. */
  #tellWhenHeld(id: number, digest: string, held: () => void): () => void {
    const stop = this.#parts.events.subscribe(({ tag, fields }) => {
      if (tag !== "approval_requested" || fields.digest !== digest) return;
      stop();
      held();
      this.#send({
        type: "held",
        id,
        text: `iddio: waiting for a person to approve this (${String(fields.id)}); iddio approval allow ${String(fields.id)}`,
      });
    });
    return stop;
  }
}

/** No rule lets it through, and no person is asked for what would not go anyway. */
function neverCarried(judged: Judgement): Judgement {
  const reason = "iddio carries no agents of keys, screens, listening ports, sockets or tunnels";
  const { action } = judged.verdict;
  // A rule that denies keeps its name.
  const rule = action === "deny" ? judged.verdict.rule : "";
  return { ...judged, verdict: { ...judged.verdict, action: "deny", rule, reason } };
}

/** The entries of the block that match one of the names. */
function entriesFor(policy: Policy, hosts: readonly string[], port: number): readonly InspectEntry[] {
  const listed = policy.blocks.get("ssh")?.inspect.map(({ entry }) => entry) ?? [];
  return listed.filter((entry) => {
    const index = new InspectIndex([{ entry, value: entry }]);
    return hosts.some((host) => index.lookup(host, port) !== undefined);
  });
}

/** Commands whose bytes are files. */
const TRANSFER =
  /^\s*(?:\S*\/)?(?:rsync\s+--server|scp\s+-\S*[tf]|git[- ](?:upload-pack|receive-pack|upload-archive)|git-lfs)\b/;

function orderOf(
  { path, header, isFull, keepsTyped, limit, endsOnFailure }: RemoteRecording,
  wish: Wish,
): RecordingOrder {
  const isTerminal = wish.kind === "shell" || (wish.kind === "exec" && wish.pty);
  return { path, header, isFull, isTerminal, keepsTyped, limit, endsOnFailure };
}

type FileWish = Extract<Wish, { kind: "file" }>;

function coverable(wish: Wish): wish is FileWish {
  return wish.kind === "file" && /^(?:upload|mkdir|chmod|rename|remove|rmdir)$/.test(wish.operation);
}

function textOf(wish: Wish): string {
  switch (wish.kind) {
    case "exec":
      return wish.command;
    case "shell":
      return "a shell";
    case "subsystem":
      return `subsystem ${wish.name}`;
    case "forward":
      return `${wish.what} ${wish.detail}`.trim();
    case "file":
      return `sftp ${wish.operation} ${wish.paths.join(" ")}`;
  }
}

function endingOf({ code, toRemote, fromRemote, sha256, reason }: ChannelEnd, recording?: string): Ending {
  return {
    fields: {
      ...(code === undefined ? {} : { exit_code: code }),
      bytes_in: toRemote,
      bytes_out: fromRemote,
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(recording === undefined ? {} : { recording }),
    },
    ...(reason === undefined ? {} : { failure: reason }),
  };
}
