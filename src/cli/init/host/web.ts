import { join } from 'node:path';
import { QemuError } from '../../../base/errors.ts';
import { MachineManager } from '../../../fleet/machine-manager.ts';
import { findServices } from '../../../fleet/service/services.ts';
import { ensureDir, removeIfExists } from '../../../system/files/files.ts';
import { writeFileAtomic } from '../../../system/files/write-file.ts';
import { newToken } from '../../../web/access.ts';
import { type Address, addressOf, linkOf, listenAt } from '../../../web/address.ts';
import { WebServer } from '../../../web/server.ts';
import { readStaticFiles } from '../../../web/static-files.ts';
import { mayKeepToken, readToken, tokenFileOf } from '../../../web/token-file.ts';
import type { Context } from '../../run/context.ts';
import { PACKAGE } from '../../run/package-folder.ts';

interface Arguments {
  readonly listen?: string;
  readonly allowControl?: boolean;
  readonly readOnly?: boolean;
  readonly idle: number;
  /** With commas between them. */
  readonly name?: string;
  readonly link?: boolean;
  readonly newLink?: boolean;
  readonly trustHeader?: string;
  /** With commas between them. */
  readonly controlUser?: string;
}

/** Serves the page until it is interrupted, or is not used any more. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const { output, paths, signal } = context;
  checkUsers(args);
  const address = addressOf(args.listen);
  if (args.link === true) {
    output.line(linkOfServer(context, args.listen === undefined ? undefined : address));
    return 0;
  }
  const tokenFile = tokenFileOf(paths.runDir, address);
  const isKept = mayKeepToken(address);
  const token = (isKept && args.newLink !== true ? readToken(tokenFile) : undefined) ?? newToken();
  const web = new WebServer({
    // Files may change while the page is open.
    fleet: () => new MachineManager(paths, (notice) => output.notice(notice), findServices(paths)),
    files: readStaticFiles(join(PACKAGE, 'dist/web')),
    token,
    mayAct: args.allowControl === true,
    names: args.name?.toLowerCase().split(','),
    users:
      args.trustHeader === undefined ? undefined : { header: args.trustHeader, mayAct: args.controlUser?.split(',') },
    onAction: (text) => output.note('info', `web: ${text}`),
  });
  const isSocket = await listenAt(web.server, address);
  try {
    if (args.trustHeader !== undefined && !isSocket) throw anybodyCanSay();
    ensureDir(paths.runDir, 0o755);
    writeFileAtomic(tokenFile, `${token}\n`, 0o600);
    announce(context, linkOf(address, token), args);
    await untilIdle(web, args.idle * 1000, signal);
  } finally {
    if (!isKept) removeIfExists(tokenFile);
    if (address.kind === 'unix') removeIfExists(address.path);
    await web.close();
  }
  return 0;
}

/** @throws {QemuError} `QEMU_USAGE` */
function checkUsers({ listen, trustHeader, controlUser }: Arguments): void {
  if (trustHeader === undefined) {
    if (controlUser === undefined) return;
    throw new QemuError('QEMU_USAGE', '--control-user needs --trust-header', {
      hint: 'without a reverse proxy nobody says who the user is',
    });
  }
  if (!/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(trustHeader)) {
    throw new QemuError('QEMU_USAGE', `"${trustHeader}" is not the name of a header, such as X-Remote-User`);
  }
  if (listen !== undefined && !listen.startsWith('unix:')) throw anybodyCanSay();
}

function anybodyCanSay(): QemuError {
  return new QemuError('QEMU_USAGE', '--trust-header needs a unix socket: on a port every user could send the header', {
    hint: 'use --listen unix:PATH, with a group that only the reverse proxy is in',
  });
}

/**
 * The link to the server at an address; by default to that on the usual port, else to that on a socket.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`
 */
function linkOfServer({ paths: { runDir } }: Context, wanted: Address | undefined): string {
  const socket: Address = { kind: 'unix', path: '' };
  for (const address of wanted ? [wanted] : [addressOf(undefined), socket]) {
    const token = readToken(tokenFileOf(runDir, address));
    if (token !== undefined) return linkOf(address, token);
  }
  throw new QemuError('QEMU_NOT_RUNNING', 'The page is not served', { hint: 'start it: qemu-init web' });
}

function announce({ output }: Context, link: string, { allowControl, controlUser }: Arguments): void {
  const mode = allowControl === true ? 'machines can be controlled' : 'read only';
  output.line(link);
  output.note('info', `the link is a key: ${mode}; Ctrl-C ends it`);
  if (controlUser !== undefined) output.note('info', `users who may control: ${controlUser}`);
}

/** @param idleMs 0: never. */
async function untilIdle(web: WebServer, idleMs: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (idleMs > 0 && web.idleMs > idleMs) done();
    }, 500);
    function done(): void {
      clearInterval(timer);
      resolve();
    }
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}
