import { QemuError } from '../../base/errors.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { SshPlace } from './ssh-place.ts';

/** How ssh(1) reports that it failed itself. */
const SSH_FAILED = 255;

/**
 * Why there is no other end at a place, by how ssh(1) has ended, and by what it and the programs there have printed. Pure.
 *
 * @param wasThere whether the other end has answered before.
 */
export function sshFailure(
  place: SshPlace,
  { exitCode, signal }: { readonly exitCode: number | undefined; readonly signal: string | undefined },
  errors: string,
  wasThere: boolean,
): QemuError {
  const { name } = place;
  const last = lastLine(errors);
  const said = last === '' ? '' : `: ${last}`;
  const login = loginCommand(place);
  if (exitCode === SSH_FAILED) {
    if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(errors)) {
      return new QemuError('QEMU_NOT_PERMITTED', `The key of the host of ${name} is not the one that is known`, {
        hint: `the host was installed anew, or another one answers: find out which before you change known_hosts`,
      });
    }
    if (/Host key verification failed/.test(errors)) {
      return new QemuError('QEMU_NOT_PERMITTED', `The key of the host of ${name} is not known`, {
        hint: `log in there once as this user, and compare its fingerprint: ${login}`,
      });
    }
    if (/Permission denied \(/.test(errors) || /Too many authentication failures/.test(errors)) {
      return new QemuError('QEMU_NOT_PERMITTED', `ssh may not log in at ${name}${said}`, {
        hint: `it needs a key of this user that asks for nothing: ${login}`,
      });
    }
    if (!wasThere) return new QemuError('QEMU_COMMAND_FAILED', `Cannot reach ${name}${said}`);
  }
  if (wasThere) return new QemuError('QEMU_COMMAND_FAILED', `The connection to ${name} is lost${said}`);
  if (exitCode === 127) {
    return new QemuError('QEMU_NOT_INSTALLED', `qemu-init is not installed at ${name}${said}`, {
      hint: `it has to be in the PATH that ssh gives a command: ${login} 'command -v qemu-init'`,
    });
  }
  if (exitCode === 126) return new QemuError('QEMU_NOT_PERMITTED', `qemu-init cannot be run at ${name}${said}`);
  if (exitCode === 2) {
    return new QemuError('QEMU_COMMAND_FAILED', `The qemu-init at ${name} is too old to take in a guest${said}`, {
      hint: 'install the same version on both hosts',
    });
  }
  const how = signal ?? `status ${exitCode}`;
  return new QemuError('QEMU_COMMAND_FAILED', `The other end at ${name} has ended with ${how}${said}`);
}

/** For a hint. */
export function loginCommand({ user, host, port }: SshPlace): string {
  return shellCommand(
    'ssh',
    ...(port === undefined ? [] : ['-p', String(port)]),
    user === undefined ? host : `${user}@${host}`,
  );
}

function lastLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.findLast((line) => line !== '' && !line.startsWith('hint:')) ?? '';
}
