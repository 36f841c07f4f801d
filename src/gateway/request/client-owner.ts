// Who opened a connection: the OS user, looked up at most once and only when somebody asks,
// and the process, which takes longer and is never waited for. Both can only be found while
// the connection is open: afterwards nobody can tell.

import { startAndNameOf } from "../../host/process/process-start.ts";
import { processOf } from "../../host/process/process-tree.ts";
import type { SocketEnd } from "../../host/process/sockets/sock-diag.ts";
import { type SocketOwner, socketOwner } from "../../host/process/sockets/socket-owner.ts";
import type { Pending, SocketProcesses } from "../../host/process/sockets/socket-process.ts";
import { userName } from "../../host/process/user-name.ts";
import type { ClientIdentity } from "../../model/entry.ts";
import type { Run } from "./runs/runs.ts";

/** When the process of an identity was started; beside the identity, because rows carry that. */
const STARTS = new WeakMap<ClientIdentity, number>();

/** When the process that a connection was found to belong to was started: a later one may get its number. */
export function startOfClient(client: ClientIdentity): number | undefined {
  return STARTS.get(client);
}

/** The owners whose process is looked for, by the identity that will name it. */
const OWNERS = new WeakMap<ClientIdentity, ClientOwner>();
/** A person is asked after this time, whether or not the system has told the process. */
const IDENTIFY_MS = 1_000;

/**
 * Resolves when the system has told the process of a client, or cannot. To be awaited before a person is asked: once a
 * client has left nobody can tell who it was, and its own terminal could answer for it.
 */
export async function senderLookedUp(client: ClientIdentity | undefined): Promise<void> {
  if (client === undefined || client.pid !== undefined) return;
  const found = OWNERS.get(client)?.identifiedSoon();
  if (found !== undefined) await Promise.race([found, Bun.sleep(IDENTIFY_MS)]);
}

/** The OS user and the process behind one client connection. */
export class ClientOwner {
  readonly #client: SocketEnd;
  readonly #server: SocketEnd;
  readonly #processes: SocketProcesses;
  /** The run whose bridge handed the connection over; its user is the client's. */
  readonly run: Run | undefined;
  /** Inode of the client's end, where its run's bridge told it. */
  readonly #inode: number | undefined;
  #owner: SocketOwner | undefined;
  #isKnown = false;
  #identity: { user: string; pid?: number; process?: string; run?: string; run_id?: string } | undefined;
  #pending: Pending | undefined;
  /** Resolves once the identity says what the system told. */
  #told: Promise<void> | undefined;

  constructor(
    client: SocketEnd,
    server: SocketEnd,
    processes: SocketProcesses,
    handedOver?: { readonly run: Run; readonly inode?: number | undefined },
  ) {
    this.run = handedOver?.run;
    this.#inode = handedOver?.inode;
    this.#client = client;
    this.#server = server;
    this.#processes = processes;
  }

  #look(): SocketOwner | undefined {
    if (this.run) return { uid: this.run.uid, user: userName(this.run.uid) };
    if (!this.#isKnown) this.#owner = socketOwner(this.#client, this.#server);
    this.#isKnown = true;
    return this.#owner;
  }

  /**
   * For rows; undefined when the system does not tell. The same object every time: pid and process appear in it
   * once they are known.
   */
  get identity(): ClientIdentity | undefined {
    const owner = this.#look();
    if (owner)
      this.#identity ??= {
        user: owner.user,
        ...(this.run === undefined ? {} : { run: this.run.name, run_id: this.run.id }),
      };
    return this.#identity;
  }

  /** Begins to look for the process, for connections whose requests are judged. Returns at once. */
  lookUpProcess(): void {
    const identity = this.identity as { pid?: number; process?: string } | undefined;
    if (identity === undefined || this.#pending !== undefined) return;
    const own = process.getuid?.();
    // The processes of another user show their descriptors to nobody but root.
    if (own !== 0 && this.#look()?.uid !== own) return;
    const inode = this.run === undefined ? this.#owner?.inode : this.#inode;
    // Inside a run, both addresses of a connection belong to the run's own network.
    if (this.run !== undefined && inode === undefined) return;
    this.#pending = this.#processes.find({
      client: this.#client,
      server: this.#server,
      ...(inode === undefined ? {} : { inode }),
    });
    OWNERS.set(identity, this);
    this.#told = this.#pending.pid.then((pid) => {
      if (pid === undefined) return;
      const { started, name } = startAndNameOf(pid);
      if (started !== undefined) STARTS.set(identity, started);
      identity.pid = pid;
      if (name !== undefined) identity.process = name;
      else
        void processOf(pid).then((found) => {
          if (found) identity.process = found.name;
        });
    });
  }

  /** Names the client whose share of everything bounded this counts for: the process once it is known, else the user. */
  get payer(): string {
    if (this.run !== undefined) return `run ${this.run.id}`;
    const pid = this.#identity?.pid;
    return pid === undefined ? `user ${this.#look()?.uid ?? "unknown"}` : `process ${pid}`;
  }

  /** Resolves when the process is found, or will not be. */
  async identified(): Promise<void> {
    this.lookUpProcess();
    await this.#told;
  }

  /** The same for somebody who is about to be asked: the system is looked through as soon as it may be. */
  identifiedSoon(): Promise<void> {
    const identified = this.identified();
    this.#processes.hurry();
    return identified;
  }

  /** Calls back when the process is found, if it ever is. */
  onProcess(found: () => void): void {
    void this.#pending?.pid.then((pid) => {
      if (pid !== undefined) found();
    });
  }

  /** Keeps connections of different users apart in the pool. */
  get poolKey(): string {
    return this.run === undefined ? String(this.#look()?.uid ?? "") : this.run.id;
  }

  /** The OS user by number; undefined when the system does not tell. */
  get uid(): number | undefined {
    return this.#look()?.uid;
  }

  /** Whether the daemon's own user opened it. Unknown counts as no. */
  get isOwnUser(): boolean {
    return this.#look()?.uid === process.getuid?.();
  }

  /** The connection has ended. */
  close(): void {
    this.#pending?.forget();
  }
}
