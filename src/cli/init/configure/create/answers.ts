import { joinWords } from '../../../../config/text/shell-words.ts';
import type { CreateArguments } from './arguments.ts';

/** What was answered; empty: nothing. */
export interface CreateAnswers {
  readonly name: string;
  /** Path or address of an image or an installer; empty: an empty disk. */
  readonly source: string;
  /** System whose preset is used. */
  readonly os: string;
  readonly disk: string;
  readonly ram: string;
  readonly cpus: string;
  /** `user`, or the name of a bridge. */
  readonly network: string;
  /** Public key for the guest's login; only for an image. */
  readonly sshKey: string;
  readonly login: string;
  readonly start: boolean;
}

/** Whether a file or an address is that of a CD-ROM to install from. Pure. */
export function isDisc(source: string): boolean {
  return /\.iso(?:[?#].*)?$/i.test(source);
}

/** The options that answers stand for. Pure. */
export function optionsOfAnswers(answers: CreateAnswers): Partial<CreateArguments> & { readonly name: string } {
  const { name, source, os, disk, ram, cpus, network, sshKey, login, start } = answers;
  return {
    name,
    ...(source !== '' && (isDisc(source) ? { iso: source } : { image: source })),
    ...(os !== '' && { os }),
    disk: [disk],
    ram,
    cpus,
    ...(network === 'user' ? { net: 'user' } : { bridge: network }),
    ...(sshKey !== '' && { sshKey, ...(login !== '' && { login }) }),
    ...(start && { start: true, ...(sshKey !== '' && { wait: true }) }),
  };
}

/** The command that does the same without questions. Pure. */
export function commandOfAnswers(answers: CreateAnswers): string {
  const { name, ...options } = optionsOfAnswers(answers);
  const words = Object.entries(options).flatMap(([member, value]) => {
    const option = member === 'sshKey' ? '--ssh-key' : `--${member}`;
    return value === true ? [option] : [option, String(value)];
  });
  return joinWords(['qemu-init', 'create', name, ...words]);
}

/** Words in names of images and installers that show what system is in them, in the order of looking. */
const SIGNS: readonly (readonly [sign: RegExp, os: string])[] = [
  [/win(?:dows)?[-_ ]?11/i, 'windows11'],
  [/win(?:dows)?[-_ ]?10/i, 'windows10'],
  [/(?:win|windows|server)[-_ ]*(2016|2019|2022|2025)/i, 'windows$1'],
  [/alma/i, 'almalinux'],
  [/(alpine|centos|debian|fedora|gentoo|nixos|opensuse|rhel|rocky|sles|ubuntu|freebsd|netbsd|openbsd)/i, '$1'],
  [/\barch(?:linux|boot)/i, 'arch'],
];

/** The system that a file's name speaks of; empty: none that has a preset. Pure. */
export function guessOs(source: string): string {
  const name = source.replace(/[?#].*$/, '').replace(/^.*\//, '');
  for (const [sign, os] of SIGNS) {
    const found = sign.exec(name);
    if (found) return os.replace('$1', found[1] ?? '').toLowerCase();
  }
  return '';
}
