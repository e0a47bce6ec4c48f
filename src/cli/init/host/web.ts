import { join } from 'node:path';
import { QemuError } from '../../../base/errors.ts';
import { MachineManager } from '../../../fleet/machine-manager.ts';
import { findServices } from '../../../fleet/service/services.ts';
import { ensureDir, isThere, removeIfExists } from '../../../system/files/files.ts';
import { writeFileAtomic } from '../../../system/files/write-file.ts';
import type { Paths } from '../../../system/paths.ts';
import { newToken, proxyUsers } from '../../../web/access.ts';
import { type Address, addressOf, linkOf, listenAt } from '../../../web/address.ts';
import { helperSocketOf } from '../../../web/helper.ts';
import { WebServer } from '../../../web/server.ts';
import { readStaticFiles } from '../../../web/static-files.ts';
import {
  folderOfUnit,
  mayKeepToken,
  readToken,
  readTokenOfUnit,
  socketOfUnit,
  tokenFileOf,
} from '../../../web/token-file.ts';
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
  const folder = folderOfUnit(address) ?? paths.runDir;
  const tokenFile = tokenFileOf(folder, address);
  const isKept = mayKeepToken(address);
  const token = (isKept && args.newLink !== true ? readToken(tokenFile) : undefined) ?? newToken();
  const helper = helperOf(paths, args.allowControl === true || args.controlUser !== undefined);
  const mayAct = args.readOnly !== true && (args.allowControl === true || helper !== undefined);
  const web = new WebServer({
    // Files may change while the page is open.
    fleet: () => new MachineManager(paths, (notice) => output.notice(notice), findServices(paths)),
    files: readStaticFiles(join(PACKAGE, 'dist/web')),
    token,
    mayAct,
    helper,
    names: args.name?.toLowerCase().split(','),
    users: proxyUsers(args.trustHeader, args.controlUser, args.allowControl === true),
    onAction: (text) => output.note('info', `web: ${text}`),
  });
  const isSocket = await listenAt(web.server, address);
  try {
    if (args.trustHeader !== undefined && !isSocket) throw anybodyCanSay();
    ensureDir(folder, 0o755);
    writeFileAtomic(tokenFile, `${token}\n`, 0o600);
    announce(context, linkOf(address, token), { ...args, mayAct, isUnit: address.kind === 'fd' });
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
 * The link to the server at an address; by default to that on the usual port, else to that of the unit, else to that on a
 * socket. Where the unit serves, the token in the folder of the machines is one of another server.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`
 */
function linkOfServer({ paths: { runDir } }: Context, wanted: Address | undefined): string {
  const path = socketOfUnit(runDir);
  const hasUnit = isThere(path);
  const socket: Address = { kind: 'unix', path: hasUnit ? path : '' };
  for (const address of wanted ? [wanted] : [addressOf(undefined), socket]) {
    const isUnit = address.kind === 'unix' && address.path === path;
    const token = isUnit ? readTokenOfUnit(runDir) : readToken(tokenFileOf(runDir, address));
    if (token !== undefined) return linkOf(address, token);
  }
  const hint = hasUnit ? `"${path}" has a link once it was used; or: qemu-init web` : 'start it: qemu-init web';
  throw new QemuError('QEMU_NOT_RUNNING', 'The page is not served', { hint });
}

/**
 * The socket of the helper of this host's page, which has a user of its own; undefined for root and in other scopes, where
 * the server does everything itself.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` when it must act and there is none.
 */
function helperOf({ scope, runDir }: Paths, isNeeded: boolean): string | undefined {
  if (scope !== 'system' || process.getuid?.() === 0) return undefined;
  const socket = helperSocketOf(runDir);
  if (isThere(socket)) return socket;
  if (!isNeeded) return undefined;
  throw new QemuError('QEMU_NOT_PERMITTED', 'Only root may control the machines of the host', {
    hint: 'the page of the host acts through a helper: systemctl enable --now qemu-web-control.socket',
  });
}

function announce(
  { output }: Context,
  link: string,
  {
    mayAct,
    isUnit,
    controlUser,
  }: Pick<Arguments, 'controlUser'> & { readonly mayAct: boolean; readonly isUnit: boolean },
): void {
  const mode = mayAct ? 'machines can be controlled' : 'read only';
  // Its output is the journal, which more users may read than those who may have the link.
  if (isUnit) output.note('info', `${mode}; for the link: qemu-init web --link`);
  else {
    output.line(link);
    output.note('info', `the link is a key: ${mode}; Ctrl-C ends it`);
  }
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
