import { dirname, join } from 'node:path';
import { QemuError } from '../base/errors.ts';
import { readTrustedText, trustPath } from '../system/trust/trusted-path.ts';
import type { Address } from './address.ts';

const TOKEN_BYTES = 256;

/** The file of the token for an address, in the run-time folder. */
export function tokenFileOf(runDir: string, address: Address): string {
  return join(runDir, address.kind === 'tcp' ? `web-${address.port}.token` : 'web.token');
}

/** The token in a file; undefined when there is none. @throws {QemuError} as {@link readTrustedText}. */
export function readToken(file: string): string | undefined {
  const text = readTrustedText(file, TOKEN_BYTES)?.trim();
  return text !== undefined && /^[\w-]{32,64}$/.test(text) ? text : undefined;
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
