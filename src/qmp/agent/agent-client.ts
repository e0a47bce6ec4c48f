import type { Duplex } from 'node:stream';
import {
  type AgentInfo,
  AnswerReader,
  type GuestFileSystem,
  type GuestInterface,
  type GuestUser,
  readFileSystems,
  readInfo,
  readInterfaces,
  readTime,
  readUsers,
} from './agent-answers.ts';
import type { AgentCommandOptions, AgentDialogue } from './agent-dialogue.ts';
import { execInGuest, type GuestExecOptions, type GuestExecResult } from './agent-exec.ts';
import { readGuestFile, writeGuestFile } from './agent-files.ts';
import { AgentSession, type AgentSessionOptions, badReply } from './agent-session.ts';

/** What is unwritten goes to the guest's disks first. */
const FREEZE_MS = 10_000;

/**
 * A session with the guest agent (`qemu-ga`) of one guest. An agent serves one client at a time: keep sessions short.
 *
 * The guest is not trusted: answers are bounded in length and time, and checked. Every method throws what {@link execute}
 * throws.
 *
 * @example
 * import { Fleet, QemuError } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * try {
 *   const agent = await fleet.agent(fleet.get('web'));
 *   try {
 *     const { exitCode, stdout } = await agent.exec('/bin/uname', ['-r']);
 *     console.log(exitCode, stdout.toString());
 *   } finally {
 *     agent.close();
 *   }
 * } catch (error) {
 *   if (!(error instanceof QemuError) || error.code !== 'QEMU_NO_AGENT') throw error;
 *   console.log(error.message);
 * }
 */
export class AgentClient implements Disposable {
  readonly #session: AgentDialogue;

  /** @param session the way to the agent, which is the client's from now on. */
  constructor(session: AgentDialogue) {
    this.#session = session;
  }

  /**
   * Begins a session on a stream to the agent's channel, and makes sure that an agent is there. The stream is the client's
   * from now on; it is destroyed when that fails.
   *
   * @throws {QemuError} `QEMU_TIMEOUT` when no agent answers in time (default: 5 s); else as {@link execute}.
   */
  static async open(stream: Duplex, options: AgentCommandOptions & AgentSessionOptions = {}): Promise<AgentClient> {
    const session = new AgentSession(stream, options);
    try {
      await session.synchronize(options);
      return new AgentClient(session);
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /**
   * Sends any command that has an answer. One that is given up does not disturb those after it.
   *
   * @throws {QmpRefusedError} `QEMU_QMP_REFUSED` when the agent answers with an error.
   * @throws {QemuError} `QEMU_TIMEOUT`; `QEMU_ABORTED`; `QEMU_QMP_CLOSED` when the connection ends; `QEMU_QMP_PROTOCOL` for a
   * line that is too long or no JSON; `QEMU_QMP_BAD_REPLY` for an answer that does not fit the command; `QEMU_USAGE`.
   */
  execute(command: string, args?: object, options?: AgentCommandOptions): Promise<unknown> {
    return this.#session.execute(command, args, options);
  }

  /** Whether the agent answers. */
  async ping(options?: AgentCommandOptions): Promise<void> {
    await this.execute('guest-ping', undefined, options);
  }

  /** Version and commands of the agent. */
  async info(options?: AgentCommandOptions): Promise<AgentInfo> {
    return readInfo(await this.execute('guest-info', undefined, options));
  }

  /** The guest's network interfaces with their addresses, the loopback as well. */
  async networkInterfaces(options?: AgentCommandOptions): Promise<GuestInterface[]> {
    return readInterfaces(await this.execute('guest-network-get-interfaces', undefined, options));
  }

  /** Who is logged in. */
  async users(options?: AgentCommandOptions): Promise<GuestUser[]> {
    return readUsers(await this.execute('guest-get-users', undefined, options));
  }

  /** The mounted file systems. */
  async fileSystems(options?: AgentCommandOptions): Promise<GuestFileSystem[]> {
    return readFileSystems(await this.execute('guest-get-fsinfo', undefined, options));
  }

  /** The guest's clock. */
  async time(options?: AgentCommandOptions): Promise<Date> {
    return readTime(await this.execute('guest-get-time', undefined, options));
  }

  /** Sets the guest's clock: to that of its hardware without a time. */
  async setTime(time?: Date, options?: AgentCommandOptions): Promise<void> {
    const args = time && { time: BigInt(time.getTime()) * 1_000_000n };
    await this.execute('guest-set-time', args, options);
  }

  /**
   * Keeps the guest from writing to its file systems until {@link thaw}, which nothing does by itself: not the end of this
   * session either. A request that is given up may still reach the guest, so a thaw is sent after it.
   *
   * @param mountPoints default: all file systems.
   * @param options the default time limit is 10 s.
   * @returns how many file systems are frozen.
   */
  async freeze(mountPoints?: readonly string[], options?: AgentCommandOptions): Promise<number> {
    const [command, args] = mountPoints
      ? (['guest-fsfreeze-freeze-list', { mountpoints: [...mountPoints] }] as const)
      : (['guest-fsfreeze-freeze', undefined] as const);
    const answer = this.#session.executeOrUndo(command, args, 'guest-fsfreeze-thaw', {
      timeoutMs: FREEZE_MS,
      ...options,
    });
    return new AnswerReader(command).count(await answer, 'return');
  }

  /** Lets the guest write again. Returns how many file systems were frozen. */
  async thaw(options?: AgentCommandOptions): Promise<number> {
    const command = 'guest-fsfreeze-thaw';
    return new AnswerReader(command).count(await this.execute(command, undefined, options), 'return');
  }

  /** Whether file systems are frozen: the agent then takes little but {@link thaw}. */
  async freezeStatus(options?: AgentCommandOptions): Promise<'frozen' | 'thawed'> {
    const status = await this.execute('guest-fsfreeze-status', undefined, options);
    if (status === 'frozen' || status === 'thawed') return status;
    throw badReply('guest-fsfreeze-status', 'it is neither "frozen" nor "thawed"');
  }

  /**
   * Asks the guest to go down. Returns when the agent has taken that, or has gone: `guest-shutdown` is answered only when it
   * fails. The guest takes its time after it.
   */
  async shutdown(mode: 'powerdown' | 'reboot' | 'halt' = 'powerdown', options?: AgentCommandOptions): Promise<void> {
    await this.#session.executeSilent('guest-shutdown', { mode }, options);
  }

  /**
   * Sets the password of a user of the guest.
   *
   * @param options `crypted`: the password is a hash as in shadow(5).
   */
  async setUserPassword(
    user: string,
    password: string,
    options: AgentCommandOptions & { readonly crypted?: boolean | undefined } = {},
  ): Promise<void> {
    const { crypted = false, ...limits } = options;
    const args = { username: user, password: Buffer.from(password).toString('base64'), crypted };
    await this.execute('guest-set-user-password', args, limits);
  }

  /**
   * Runs a program in the guest, without a shell, and waits for its end. What it prints is kept up to 16 MiB.
   *
   * @throws {QemuError} `QEMU_TIMEOUT` and `QEMU_ABORTED` leave it running; else as {@link execute}.
   */
  exec(program: string, args: readonly string[] = [], options: GuestExecOptions = {}): Promise<GuestExecResult> {
    return execInGuest(this.#session, program, args, options);
  }

  /**
   * The content of a file of the guest, piece by piece. The guest may send one without an end: stop when it is enough. The time
   * limit is that of each piece.
   */
  readFile(path: string, options: AgentCommandOptions = {}): AsyncGenerator<Buffer, void, undefined> {
    return readGuestFile(this.#session, path, options);
  }

  /** Makes a file in the guest, or writes over one. The time limit is that of each piece. */
  writeFile(
    path: string,
    data: Uint8Array | AsyncIterable<Uint8Array>,
    options: AgentCommandOptions = {},
  ): Promise<void> {
    return writeGuestFile(this.#session, path, data, options);
  }

  /** Ends the session and every command in it; may be called twice. */
  close(): void {
    this.#session.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
