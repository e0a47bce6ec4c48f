import { dirname, join } from 'node:path';
import { QemuError } from '../base/errors.ts';
import { readSmallFile } from '../system/files/files.ts';
import { readTrustedText, trustPath } from '../system/trust/trusted-path.ts';
import type { Address } from './address.ts';

const TOKEN_BYTES = 256;

/** The file of the token for an address, in the run-time folder. */
export function tokenFileOf(runDir: string, address: Address): string {
  return join(runDir, address.kind === 'tcp' ? `web-${address.port}.token` : 'web.token');
}

/**
 * The folder that the unit of the page has to itself: the page is served by a user who may not write to the one of the
 * machines. Undefined for a server that is not a unit.
 *
 * @see systemd.exec(5), RuntimeDirectory=
 */
export function folderOfUnit(address: Address, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folder = env['RUNTIME_DIRECTORY'];
  return address.kind === 'fd' && folder?.startsWith('/') === true && !folder.includes(':') ? folder : undefined;
}

/** The token in a file; undefined when there is none. @throws {QemuError} as {@link readTrustedText}. */
export function readToken(file: string): string | undefined {
  return tokenIn(readTrustedText(file, TOKEN_BYTES));
}

/** Socket of the page that the unit of the host serves. @param runDir the one of the machines. */
export function socketOfUnit(runDir: string): string {
  return `${runDir}-web.sock`;
}

/**
 * The token of the page that the unit of the host serves, in a file of another user: the page's own, who has the page anyway.
 *
 * @param runDir the one of the machines.
 */
export function readTokenOfUnit(runDir: string): string | undefined {
  return tokenIn(readSmallFile(join(`${runDir}-web`, 'web.token')));
}

function tokenIn(text: string | undefined): string | undefined {
  const token = text?.trim();
  return token !== undefined && /^[\w-]{32,64}$/.test(token) ? token : undefined;
}

/**
 * Whether the next server at an address may have the token of the last one, so that pages go on after a restart. On a
 * TCP port another user may listen in between, to whom waiting pages would send it: what they get there must be worth
 * nothing. A socket is safe where nobody else can make one.
 */
export function mayKeepToken(address: Address): boolean {
  if (address.kind === 'tcp') return false;
  if (address.kind === 'fd') return true;
  try {
    trustPath(dirname(address.path));
    return true;
  } catch (error) {
    if (error instanceof QemuError) return false;
    throw error;
  }
}
