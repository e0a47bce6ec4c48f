import { chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { QemuError } from '../../../base/errors.ts';
import { Fleet } from '../../../fleet/fleet.ts';
import { findServices } from '../../../fleet/service/services.ts';
import { ensureDir, removeIfExists, writeFileAtomic } from '../../../system/files/files.ts';
import { readTrustedText, trustPath } from '../../../system/trust/trusted-path.ts';
import { newToken } from '../../../web/access.ts';
import { WebServer } from '../../../web/server.ts';
import { readStaticFiles } from '../../../web/static-files.ts';
import type { Context } from '../../run/context.ts';
import { PACKAGE } from '../../run/package-folder.ts';

interface Arguments {
  readonly listen?: string;
  readonly allowControl?: boolean;
  readonly readOnly?: boolean;
  readonly idle: number;
  readonly name?: readonly string[];
  readonly link?: boolean;
}

/** Where to listen. */
type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  /** A socket that systemd listens on and hands over (sd_listen_fds(3)). */
  | { readonly kind: 'fd'; readonly fd: number };

/** First descriptor that systemd hands over. */
const FIRST_FD = 3;
const DEFAULT_PORT = 8780;
const TOKEN_BYTES = 256;

/** Serves the page until it is interrupted, or is not used any more. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const { output, paths, signal } = context;
  const tokenFile = join(paths.runDir, 'web.token');
  const address = addressOf(args.listen);
  if (args.link === true) {
    const token = readTrustedText(tokenFile, TOKEN_BYTES)?.trim();
    if (token === undefined)
      throw new QemuError('QEMU_NOT_RUNNING', 'The page is not served', { hint: 'start it: qemu-init web' });
    output.line(linkOf(address, token));
    return 0;
  }
  const token = newToken();
  const web = new WebServer({
    // Files may change while the page is open.
    fleet: () => new Fleet(paths, (notice) => output.notice(notice), findServices(paths)),
    files: readStaticFiles(join(PACKAGE, 'dist/web')),
    token,
    mayAct: args.allowControl === true && args.readOnly !== true,
    names: args.name,
    onAction: (text) => output.note('info', `web: ${text}`),
  });
  await listen(web, address);
  ensureDir(paths.runDir, 0o755);
  writeFileAtomic(tokenFile, `${token}\n`, 0o600);
  try {
    announce(context, linkOf(address, token), args);
    await untilIdle(web, args.idle * 1000, signal);
  } finally {
    removeIfExists(tokenFile);
    if (address.kind === 'unix') removeIfExists(address.path);
    web.server.closeAllConnections();
    web.server.close();
  }
  return 0;
}

function announce({ output }: Context, link: string, { allowControl, readOnly }: Arguments): void {
  const mode = allowControl === true && readOnly !== true ? 'machines can be controlled' : 'read only';
  output.line(link);
  output.note('info', `the link is a key: ${mode}; Ctrl-C ends it`);
}

/** @throws {QemuError} `QEMU_USAGE` for an address that others than this host could reach. */
function addressOf(text: string | undefined): Address {
  const handed = process.env['LISTEN_PID'] === String(process.pid) && Number(process.env['LISTEN_FDS'] ?? '0') > 0;
  if (handed) {
    // Not for programs that are started from here.
    delete process.env['LISTEN_PID'];
    delete process.env['LISTEN_FDS'];
    return { kind: 'fd', fd: FIRST_FD };
  }
  if (text === undefined) return { kind: 'tcp', host: '127.0.0.1', port: DEFAULT_PORT };
  if (text.startsWith('unix:')) return { kind: 'unix', path: resolve(text.slice('unix:'.length)) };
  const [, host = '', port = ''] = /^(127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})$/.exec(text) ?? [];
  if (host !== '' && Number(port) <= 65_535) {
    return { kind: 'tcp', host: host === '[::1]' ? '::1' : '127.0.0.1', port: Number(port) };
  }
  throw new QemuError('QEMU_USAGE', `"${text}" is not an address of this host alone`, {
    hint: '127.0.0.1:PORT, [::1]:PORT or unix:PATH; for others use ssh -L, or a reverse proxy that asks who they are',
  });
}

async function listen({ server }: WebServer, address: Address): Promise<void> {
  // Others could put a link in its place, and get what it leads to opened to a group.
  if (address.kind === 'unix') trustPath(address.path);
  await new Promise<void>((done, fail) => {
    server.once('error', (cause) => fail(new QemuError('QEMU_IO', `Cannot listen: ${cause.message}`, { cause })));
    server.once('listening', done);
    if (address.kind === 'fd') server.listen({ fd: address.fd });
    else if (address.kind === 'unix') server.listen({ path: address.path });
    else server.listen({ host: address.host, port: address.port });
  });
  if (address.kind === 'unix') chmodSync(address.path, 0o660);
}

/** The token is behind "#", which a browser keeps for itself. */
function linkOf(address: Address, token: string): string {
  if (address.kind !== 'tcp') return `http://localhost:${DEFAULT_PORT}/#token=${token}`;
  const host = address.host === '::1' ? '[::1]' : address.host;
  return `http://${host}:${address.port}/#token=${token}`;
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
