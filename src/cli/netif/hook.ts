import { errorCode, QemuError } from '../../base/errors.ts';
import { tapDown, tapUp } from '../../network/taps/hook.ts';
import { printable } from '../output/printable.ts';

/**
 * Runs QEMU's hooks, or a plain `qemu-netif up|down TAP [--bridge BRIDGE]`.
 *
 * @param program path by which the tool was called; a link named qemu-brup or qemu-brdown is a hook.
 * @returns the exit status; undefined: it is another command, or needs the argument parser.
 */
export function runHook(program: string, argv: readonly string[], env: NodeJS.ProcessEnv): number | undefined {
  const name = program.slice(program.lastIndexOf('/') + 1);
  if (name === 'qemu-brup') return report(name, () => tapUp(onlyTap(argv), env));
  if (name === 'qemu-brdown') return report(name, () => tapDownAsHook(onlyTap(argv), env));
  const [action, tap, option, bridge, ...rest] = argv;
  if (tap === undefined || tap.startsWith('-') || rest.length > 0) return undefined;
  if (action === 'up' && option === undefined) return report('qemu-netif', () => tapUp(tap, env));
  if (action === 'up' && option === '--bridge' && bridge !== undefined)
    return report('qemu-netif', () => tapUp(tap, env, bridge));
  if (action === 'down' && option === undefined) return report('qemu-netif', () => tapDown(tap, env));
  return undefined;
}

function onlyTap(argv: readonly string[]): string {
  const [tap] = argv;
  if (tap === undefined || argv.length > 1)
    throw new QemuError('QEMU_USAGE', 'Expected the name of a tap and nothing else');
  return tap;
}

function tapDownAsHook(tap: string, env: NodeJS.ProcessEnv): void {
  try {
    tapDown(tap, env);
  } catch (error) {
    // QEMU may have given up its rights by now; the kernel removes the tap as QEMU ends.
    if (errorCode(error) !== 'QEMU_NOT_PERMITTED') throw error;
  }
}

function report(name: string, action: () => void): number {
  try {
    action();
    return 0;
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    const text = [`${name}: ${error.message}`, ...causes(error), ...hint(error)].join('\n');
    process.stderr.write(`${process.stderr.isTTY ? printable(text) : text}\n`);
    return EXIT_STATUS[error.code] ?? 1;
  }
}

function causes(error: Error): string[] {
  return error.cause instanceof Error ? [`  because: ${error.cause.message}`, ...causes(error.cause)] : [];
}

function hint({ hint: text }: QemuError): string[] {
  return text === undefined ? [] : [`  hint: ${text}`];
}

const EXIT_STATUS: Partial<Record<QemuError['code'], number>> = {
  QEMU_USAGE: 2,
  QEMU_NOT_PERMITTED: 4,
  QEMU_NOT_INSTALLED: 5,
};
