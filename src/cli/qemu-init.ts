import { QemuError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { type PlainCall, plainCall } from './run/fast-path.ts';
import { leaveRemovedFolder } from './run/output-watch.ts';
import { type Run, runTool } from './run/run-tool.ts';

/** The tool `qemu-init`. Returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  if (argv.length === 1 && argv[0] === '--version') {
    process.stdout.write(`qemu-init ${VERSION}\n`);
    return 0;
  }
  const plain = plainCall(argv, FLAGS);
  const load = plain && PLAIN[plain.action];
  if (plain && load) {
    return runTool('qemu-init', argv, async (handle) => {
      refuseNames(plain);
      await handle((await load()).run, plain.args);
    });
  }
  // A separate file in the build: these calls do not read what only others need.
  // The argument parser needs a working folder when it is loaded.
  leaveRemovedFolder();
  const { runCommand } = await import('./init/command.ts');
  return runCommand(argv);
}

/** Actions that do not need the argument parser, with their possible flags. */
const SCOPE = ['--system', '--user', '--direct'];
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  start: ['--all', '--autostart', '--alone', '--json', '--quiet', ...SCOPE],
  stop: ['--all', '--json', '--quiet', ...SCOPE],
  restart: ['--all', '--json', '--quiet', ...SCOPE],
  status: ['--all', '--json', '--quiet', '--system', '--user'],
  ended: SCOPE,
  'stop-together': SCOPE,
  'stop-strays': SCOPE,
  receive: SCOPE,
  'web-control': SCOPE,
};

export const PLAIN: Readonly<Record<string, () => Promise<{ readonly run: Run }>>> = {
  start: () => import('./init/life/start.ts'),
  stop: () => import('./init/life/stop.ts'),
  restart: () => import('./init/life/restart.ts'),
  status: () => import('./init/look/status.ts'),
  ended: () => import('./init/life/ended.ts'),
  'stop-together': () => import('./init/life/stop-together.ts'),
  'stop-strays': () => import('./init/life/stop-strays.ts'),
  receive: () => import('./init/life/receive.ts'),
  'web-control': () => import('./init/host/web-control.ts'),
};

/** Actions for programs, which take no names. The parser does not have them. */
const NAMELESS: readonly string[] = ['stop-together', 'stop-strays', 'receive', 'web-control'];

function refuseNames({ action, args }: PlainCall): void {
  const { ids } = args;
  if (!NAMELESS.includes(action) || !Array.isArray(ids) || ids.length === 0) return;
  throw new QemuError('QEMU_USAGE', `Unexpected argument "${ids[0]}"`);
}
