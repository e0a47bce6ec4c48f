import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repoRoot } from './repo.ts';

export type Tool = 'qemu-init' | 'qemu-mon' | 'qemu-cmd' | 'qemu-netif';

export interface CliOptions {
  /** Scratch root, handed over as `QEMU_INIT_ROOT`. */
  readonly root?: string | undefined;
  /** Added to the environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** Standard input, closed at its end. {@link runCli} closes it at once when there is none. */
  readonly input?: string | Uint8Array | undefined;
  /** After so long the tool is killed and the call fails. 120,000 unless given, more if it may itself wait for longer. */
  readonly timeoutMs?: number | undefined;
  /** Runs the tool on a terminal of its own, by script(1); stderr then arrives on stdout. */
  readonly tty?: boolean | undefined;
  /** Runs the tool as that user, in no group but the one of the same number. Needs root. */
  readonly uid?: number | undefined;
  /** What it is run by, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[] | undefined;
  /** The Node.js that runs it, if not this one. */
  readonly node?: string | undefined;
  /** Another path to start the tool by, such as a link to it. */
  readonly path?: string | undefined;
}

export interface CliResult {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A tool that is still running. */
export interface RunningCli {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has printed so far. */
  stdout(): string;
  stderr(): string;
  write(text: string): void;
  /** Resolves once stdout matches; fails with all output when the tool ends first or `timeoutMs` (10,000) pass. */
  waitForOutput(pattern: string | RegExp, timeoutMs?: number): Promise<void>;
  /** Resolves when the tool has ended and nobody holds its output open any more. */
  readonly result: Promise<CliResult>;
}

/** Runs one of the tools from the checkout to its end. Any exit status is a result, only a timeout is an error. */
export function runCli(tool: Tool, args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return spawnCli(tool, args, { ...options, input: options.input ?? '' }).result;
}

function userOf({ uid }: CliOptions): { uid?: number; gid?: number } {
  return uid === undefined ? {} : { uid, gid: uid };
}

/** What the tool printed, as the one JSON document that it must be. */
export function parseJson(result: CliResult): unknown {
  try {
    return JSON.parse(result.stdout);
  } catch (cause) {
    throw new Error(`The output is not one JSON document\n${describe(result)}`, { cause });
  }
}

/** Starts one of the tools from the checkout; its standard input stays open unless `input` is given. */
export function spawnCli(tool: Tool, args: readonly string[], options: CliOptions = {}): RunningCli {
  const words = [
    ...(options.prefix ?? []),
    options.node ?? process.execPath,
    options.path ?? join(repoRoot, 'bin', tool),
    ...args,
  ];
  const [file = '', ...rest] = options.tty ? onTerminal(words) : words;
  const child = spawn(file, rest, { cwd: options.cwd, env: environment(options), ...userOf(options) });
  const output = collect(child);
  if (options.input !== undefined) child.stdin.end(options.input);
  // A tool may end without reading what it is given.
  child.stdin.on('error', () => undefined);
  const result = waitForEnd(child, output, [tool, ...args].join(' '), options.timeoutMs ?? limitFor(args));
  // Whoever does not look at the result is not to be ended by its failure.
  result.catch(() => undefined);
  return {
    child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    write: (text) => child.stdin.write(text),
    waitForOutput: (pattern, timeoutMs = 10_000) => waitForOutput(child, output, pattern, timeoutMs),
    result,
  };
}

const LIMIT_MS = 120_000;
const MOST_MS = 180_000;

/**
 * A tool is not killed while it does what its --timeout tells it to, or sends the memory of a guest, with the processors of a
 * busy host.
 */
function limitFor(args: readonly string[]): number {
  if (args.includes('migrate')) return MOST_MS;
  const own = Number(args[args.indexOf('--timeout') + 1]) * 1000;
  return Number.isFinite(own) ? Math.min(Math.max(LIMIT_MS, own + LIMIT_MS / 2), MOST_MS) : LIMIT_MS;
}

interface Output {
  stdout: string;
  stderr: string;
}

function onTerminal(words: readonly string[]): string[] {
  const command = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  return ['script', '--quiet', '--return', '--flush', '--echo', 'never', '--command', command, '/dev/null'];
}

/** Ours without whatever would make a tool behave differently inside a test than outside. */
function environment({ root, env }: CliOptions): NodeJS.ProcessEnv {
  const result: NodeJS.ProcessEnv = { ...process.env };
  for (const name of Object.keys(result)) {
    if (/^(QEMU_INIT_|XDG_|NODE_|NO_COLOR$|FORCE_COLOR$|JOURNAL_STREAM$|INVOCATION_ID$)/.test(name))
      delete result[name];
  }
  if (root !== undefined) result['QEMU_INIT_ROOT'] = root;
  for (const [name, value] of Object.entries(env ?? {})) {
    if (value === undefined) delete result[name];
    else result[name] = value;
  }
  return result;
}

function collect(child: ChildProcessWithoutNullStreams): Output {
  const output: Output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  return output;
}

async function waitForEnd(
  child: ChildProcessWithoutNullStreams,
  output: Output,
  title: string,
  timeoutMs: number,
): Promise<CliResult> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
    // When the tool itself is long gone, what it started still holds its output.
    child.stdout.destroy();
    child.stderr.destroy();
  }, timeoutMs);
  try {
    await once(child, 'close');
  } finally {
    clearTimeout(timer);
  }
  const result: CliResult = {
    code: child.exitCode ?? undefined,
    signal: child.signalCode ?? undefined,
    stdout: output.stdout,
    stderr: output.stderr,
  };
  if (late) throw new Error(`"${title}" was not over after ${timeoutMs} ms\n${describe(result)}`);
  return result;
}

function waitForOutput(
  child: ChildProcessWithoutNullStreams,
  output: Output,
  pattern: string | RegExp,
  timeoutMs: number,
): Promise<void> {
  const found = (): boolean =>
    typeof pattern === 'string' ? output.stdout.includes(pattern) : pattern.test(output.stdout);
  return new Promise((resolve, reject) => {
    const fail = (why: string): void =>
      finish(() => reject(new Error(`No output like ${String(pattern)}: ${why}\n${describe(output)}`)));
    const look = (): void => {
      if (found()) finish(resolve);
    };
    const ended = (): void => (found() ? finish(resolve) : fail('the tool has ended'));
    const timer = setTimeout(() => fail(`${timeoutMs} ms have passed`), timeoutMs);
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      child.stdout.off('data', look);
      child.off('close', ended);
      settle();
    };
    child.stdout.on('data', look);
    child.on('close', ended);
    if (child.stdout.closed) ended();
    else look();
  });
}

function describe(result: Output & Partial<CliResult>): string {
  const status = 'code' in result ? `exit status ${result.signal ?? result.code}\n` : '';
  return `${status}--- stdout\n${result.stdout}\n--- stderr\n${result.stderr}`;
}
