import { type ExecResult, findProgram, run } from '../process/exec.ts';

/** How {@link runQemuImg} runs. */
export interface QemuImgOptions {
  /** Program and options that give it another user, with `--` at the end; empty: the caller's own. */
  readonly prefix: readonly string[];
  /** qemu-io(1) in its place, from the same package. */
  readonly program?: 'qemu-io' | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Receives how far it is, from 0 to 100, when it is called with `-p`. */
  readonly onPercent?: ((percent: number) => void) | undefined;
}

/**
 * Most address space: qemu-img itself takes less than 100 MB. The tables of an honest image of many terabytes fit; a
 * header, or a file that is said to have terabytes, cannot make it take all the memory of the host.
 */
const MOST_MEMORY_BYTES = 384 * 1024 * 1024;

/** Each of up to 64 threads that read and write reserves its stack, by default 8 MiB, which that limit counts, too. */
const STACK_BYTES = 2 * 1024 * 1024;

/** glibc reserves 128 MiB of addresses for each thread that allocates, which that limit counts: mallopt(3). */
const ONE_ARENA = ['env', 'MALLOC_ARENA_MAX=1'];

/** What unshare(1) prints where it may not do it: in containers, and for users on some hosts. */
const NOT_UNSHARED = /^unshare: /;

/**
 * Runs qemu-img(1) on images that a guest or another user has written to: as the user of the machine, with limits on
 * memory and time, and where the kernel lets us, without a network. What an image names is to be looked at before, with
 * `readChain()`: not every host lets us take the network away.
 *
 * @throws {QemuError} as {@link run}; `QEMU_NOT_INSTALLED` without qemu-img.
 */
export async function runQemuImg(args: readonly string[], options: QemuImgOptions): Promise<ExecResult> {
  const { prefix, program = 'qemu-img', timeoutMs, signal, onPercent } = options;
  const onOutput = onPercent && ((chunk: Buffer) => reportLast(chunk, onPercent));
  // It ends with its caller, whatever ends that: nothing else would know of it. prctl(2), PR_SET_PDEATHSIG.
  const mortal = findProgram('setpriv') === undefined ? [] : ['setpriv', '--pdeathsig=KILL', '--'];
  const limits =
    findProgram('prlimit') === undefined
      ? []
      : ['prlimit', `--as=${MOST_MEMORY_BYTES}`, `--stack=${STACK_BYTES}:`, '--core=0', '--', ...ONE_ARENA];
  const inner = [...prefix, ...mortal, ...limits, program, ...args];
  const start = async ([file = '', ...words]: readonly string[]): Promise<ExecResult> =>
    run(file, words, { timeoutMs, signal, env: ENVIRONMENT, onOutput });
  if (findProgram('unshare') === undefined) return start(inner);
  const asUser = process.getuid?.() === 0 ? [] : ['--user', '--map-current-user'];
  const result = await start(['unshare', ...asUser, '--net', '--', ...inner]);
  return result.exitCode === 1 && NOT_UNSHARED.test(result.stderr) ? start(inner) : result;
}

/** Its progress is `    (12.34/100%)` and a carriage return, over and over. */
function reportLast(chunk: Buffer, onPercent: (percent: number) => void): void {
  const last = [...chunk.toString('latin1').matchAll(/\((\d+\.\d+)\/100%\)/g)].at(-1)?.[1];
  if (last !== undefined) onPercent(Number(last));
}

/** Nothing of the caller's, and messages in English. */
const ENVIRONMENT = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' };
