import { startDeadline } from '../../base/abort.ts';
import { errorFromJson } from '../../base/error-json.ts';
import { QemuError } from '../../base/errors.ts';
import { asRecord, asText, isRecord } from '../../base/guards.ts';
import { oneLine } from '../../base/text.ts';
import { VERSION } from '../../base/version.ts';
import { isValidName } from '../../config/text/names.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { Notify } from '../../machine/context.ts';
import { removeIfExists } from '../../system/files/files.ts';
import type { Paths } from '../../system/paths.ts';
import { run } from '../../system/process/exec.ts';
import { type Talk, talkTo } from '../../system/process/talk.ts';
import { ownMoveFile } from './move-files.ts';
import { sshFailure } from './ssh-failure.ts';
import { CONNECT_SECONDS, forwardArguments, type SshPlace, sshArguments } from './ssh-place.ts';
import { type Hello, PROTOCOL, type Request, readAnswer, readHello } from './wire.ts';

/** How to reach the other end. */
export interface ReachOptions {
  readonly paths: Pick<Paths, 'runDir'>;
  readonly notify: Notify;
  readonly signal?: AbortSignal | undefined;
  /** For all until it has said hello (default: 60 s; ssh itself has 10 s to connect). */
  readonly timeoutMs?: number | undefined;
}

const HELLO_MS = 60_000;
const ALIVE_MS = 5_000;
/** For the other end to undo what it has begun. */
const CLOSE_MS = 30_000;
/** What a shell may print before. */
const MOST_CHATTER = 1_000;
/** More than there is to say before any answer. */
const MOST_NOTICES = 1_000;

let count = 0;

/** The same tool at another host, started there over ssh. */
export class RemoteEnd {
  readonly place: SshPlace;
  readonly hello: Hello;
  readonly #talk: Talk;
  readonly #control: string;
  readonly #notify: Notify;
  readonly #alive: NodeJS.Timeout;
  readonly #sockets = new Set<string>();

  private constructor(place: SshPlace, hello: Hello, talk: Talk, control: string, notify: Notify) {
    this.place = place;
    this.hello = hello;
    this.#talk = talk;
    this.#control = control;
    this.#notify = notify;
    this.#alive = setInterval(() => talk.send(''), ALIVE_MS);
    this.#alive.unref();
  }

  /**
   * Connects.
   *
   * @throws {QemuError} as {@link sshFailure}; `QEMU_NOT_INSTALLED` without ssh here, `QEMU_TIMEOUT`, `QEMU_ABORTED`.
   */
  static async reach(place: SshPlace, options: ReachOptions): Promise<RemoteEnd> {
    const { paths, notify, timeoutMs = HELLO_MS, signal } = options;
    const control = ownMoveFile(paths, String(count++));
    const seconds = Math.max(1, Math.min(CONNECT_SECONDS, Math.ceil(timeoutMs / 1000)));
    const argv = ['ssh', ...sshArguments(place, control, seconds)];
    notify({ level: 'trace', message: shellCommand(...argv) });
    const talk = await talkTo(argv, environment());
    try {
      const hello = await withLimit(place, { timeoutMs, signal }, talk, () => awaitHello(place, talk));
      if (hello.receive !== PROTOCOL) throw otherVersion(place, hello);
      return new RemoteEnd(place, hello, talk, control, notify);
    } catch (error) {
      talk.kill('SIGTERM');
      removeIfExists(control);
      throw error;
    }
  }

  /**
   * Asks the other end for something, and waits for its answer.
   *
   * @throws {QemuError} what it answers; `QEMU_COMMAND_FAILED` when the connection is lost; `QEMU_TIMEOUT`, `QEMU_ABORTED`.
   */
  async ask(
    request: Request,
    limits: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Readonly<Record<string, unknown>>> {
    this.#talk.send(JSON.stringify(request));
    const answer = await withLimit(this.place, limits, this.#talk, () => this.#answer());
    if ('error' in answer) throw errorFromJson(answer['error']);
    return answer;
  }

  async #answer(): Promise<Readonly<Record<string, unknown>>> {
    for (let notices = 0; notices <= MOST_NOTICES; notices++) {
      const line = await this.#talk.lines.next();
      if (line === undefined) throw await failure(this.place, this.#talk, true);
      const answer = readAnswer(line);
      if (answer === undefined) throw unreadable(this.place);
      if (!isRecord(answer['notice'])) return answer;
      const { level, machine, message } = asRecord(answer['notice']);
      this.#notify({
        level: level === 'warning' || level === 'info' || level === 'trace' ? level : 'debug',
        machine: typeof machine === 'string' && isValidName(machine) ? machine : undefined,
        message: `at ${this.place.name}: ${oneLine(asText(message))}`,
      });
    }
    throw unreadable(this.place);
  }

  /**
   * Has ssh forward a socket here to one there.
   *
   * @throws {QemuError} `QEMU_COMMAND_FAILED`
   */
  async forward(here: string, there: string, signal?: AbortSignal): Promise<void> {
    this.#sockets.add(here);
    const args = forwardArguments(this.place, this.#control, here, there);
    const { exitCode, stderr } = await run('ssh', args, { signal, env: environment() });
    if (exitCode === 0) return;
    throw new QemuError(
      'QEMU_COMMAND_FAILED',
      `ssh does not forward a socket to ${this.place.name}: ${stderr.trim().split('\n').at(-1) ?? ''}`,
    );
  }

  /** Has the other end set right what it has to, which is not waited for. */
  hangUp(): void {
    clearInterval(this.#alive);
    this.#talk.endInput();
  }

  /** Ends the connection, when the other end has set right what it has to. Never throws. */
  async close(patienceMs = CLOSE_MS): Promise<void> {
    this.hangUp();
    await within(this.#talk.exited, patienceMs);
    this.#talk.kill('SIGTERM');
    for (const path of [this.#control, ...this.#sockets]) removeIfExists(path);
  }
}

/** ssh finds the keys of the caller's agent by that. */
function environment(): NodeJS.ProcessEnv {
  const { SSH_AUTH_SOCK: agent } = process.env;
  return agent === undefined ? {} : { SSH_AUTH_SOCK: agent };
}

async function awaitHello(place: SshPlace, talk: Talk): Promise<Hello> {
  for (let chatter = 0; chatter < MOST_CHATTER; chatter++) {
    const line = await talk.lines.next();
    if (line === undefined) throw await failure(place, talk, false);
    const hello = readHello(line);
    if (hello) return hello;
  }
  throw unreadable(place);
}

/** ssh reports why after its output has ended. */
const EXIT_MS = 5_000;

async function failure(place: SshPlace, talk: Talk, wasThere: boolean): Promise<QemuError> {
  const end = await within(talk.exited, EXIT_MS);
  return sshFailure(place, end ?? { exitCode: undefined, signal: undefined }, talk.errors(), wasThere);
}

function unreadable({ name }: SshPlace): QemuError {
  return new QemuError('QEMU_COMMAND_FAILED', `What answers at ${name} is not qemu-init`, {
    hint: 'a shell there must not print anything for commands',
  });
}

function otherVersion({ name }: SshPlace, { version }: Hello): QemuError {
  return new QemuError(
    'QEMU_COMMAND_FAILED',
    `The qemu-init at ${name} has version ${oneLine(version)}, which does not work together with ${VERSION}`,
    { hint: 'install the same version on both hosts' },
  );
}

async function withLimit<T>(
  { name }: SshPlace,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  talk: Talk,
  body: () => Promise<T>,
): Promise<T> {
  let over: (error: QemuError) => void = () => {};
  const limit = new Promise<never>((_, reject) => {
    over = reject;
  });
  const abort = (): void => over(new QemuError('QEMU_ABORTED', 'Interrupted'));
  const timer = startDeadline(timeoutMs, () => {
    const last = talk.errors().trim().split('\n').at(-1) ?? '';
    over(
      new QemuError(
        'QEMU_TIMEOUT',
        `No answer from ${name} within ${timeoutMs / 1000} s${last === '' ? '' : `: ${last}`}`,
      ),
    );
  });
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([body(), limit]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
