import type { Problem } from '../../base/problem.ts';
import type { MachineConfig } from '../../config/types.ts';
import { issueAt } from '../check/issues.ts';
import { seedFiles } from './seed.ts';

/** How `user-data` may begin: cloud-init's documentation, "User data formats"; it may be compressed by gzip, too. */
const KNOWN_STARTS =
  /^(?:#cloud-config|#!|#include|#cloud-boothook|#cloud-config-archive|#part-handler|## *template:|Content-Type:|MIME-Version:|From )/i;
const GZIP = '\u{1f}\u{8b}';

/**
 * Warnings about the seed of a machine.
 *
 * @throws {QemuError} as {@link seedFiles} when there cannot be one.
 */
export function seedIssues(config: MachineConfig): Problem[] {
  const userData = seedFiles(config).find(({ name }) => name === 'user-data');
  if (userData === undefined) return [];
  const text = Buffer.from(userData.data).toString('latin1');
  const warn = (message: string, hint?: string): Problem => ({
    ...issueAt(config, 'CLOUDINIT', `${config.cloudInit}/user-data ${message}`, hint),
    severity: 'warning',
  });
  const isKnown = text.trim() === '' || text.startsWith(GZIP) || KNOWN_STARTS.test(text);
  // With ssh_keys: host keys are meant to be there.
  const hasPrivateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text) && !/^ssh_keys:/m.test(text);
  return [
    ...(isKnown ? [] : [warn('is ignored by cloud-init', 'its first line must be #cloud-config, or #! of a script')]),
    ...(hasPrivateKey ? [warn('has a private key in it', 'the guest needs the public key only')] : []),
  ];
}
