import { homedir } from 'node:os';
import { join } from 'node:path';
import { QemuError } from '../../../../base/errors.ts';
import { isValidName, NAME_RULE } from '../../../../config/text/names.ts';
import { INTERFACE_NAME_RULE, isInterfaceName, parseSize } from '../../../../config/text/values.ts';
import { interfaceNames, readBridge } from '../../../../network/sysfs.ts';
import { isUrl } from '../../../../provision/images/image-store.ts';
import { osPreset } from '../../../../provision/os-preset.ts';
import { isThere } from '../../../../system/files/files.ts';
import { callerName } from '../../../../system/users.ts';
import { askOrEnd } from '../../../input/ask.ts';
import type { Context } from '../../../run/context.ts';
import { type CreateAnswers, guessOs, isDisc } from './answers.ts';

/** What is wrong with an answer; undefined: nothing. */
type Judge = (answer: string) => string | undefined;

/**
 * Asks on the terminal for what a new machine needs; Enter takes the answer in brackets. Wrong answers are asked for
 * again.
 *
 * @throws {QemuError} `QEMU_ABORTED` on Ctrl-C, `QEMU_USAGE` at the end of the input.
 */
export async function askForCreation(context: Context): Promise<CreateAnswers> {
  const question = questions(context);
  const images = (await context.fleet().images.list()).map(({ name }) => name);
  const name = await question('Name', '', freeName(context));
  const source = atHome(await question(sourceText(images), '', usableSource(images)));
  const os = await question('System, such as debian or windows11 (Enter: any other)', guessOs(source), knownOs);
  const preset = new Map(os === '' ? [] : osPreset(os).settings);
  const disk = await question('Size of the disk', '20G', size);
  const ram = await question('Memory', preset.get('RAM') ?? '2G', size);
  const cpus = await question('Processors', preset.get('SMP') ?? '2', wholeNumber);
  const network = await question(networkText(), 'user', networkName);
  const isImage = source !== '' && !isDisc(source);
  const sshKey = isImage ? atHome(await question('Public SSH key that may log in', ownKey(), keyFile)) : '';
  const login = sshKey === '' ? '' : await question('User who may log in', callerName(), any);
  const start = await question('Start it now? (y or n)', 'y', yesOrNo);
  return { name, source, os, disk, ram, cpus, network, sshKey, login, start: /^y/i.test(start) };
}

/** Asks until an answer is good. */
function questions({ output, signal }: Context): (text: string, usual: string, judge: Judge) => Promise<string> {
  return async (text, usual, judge) => {
    for (;;) {
      const typed = await askOrEnd(`${text}${usual === '' ? '' : ` [${usual}]`}: `, signal);
      if (typed === undefined)
        throw new QemuError('QEMU_USAGE', 'The questions were not answered; nothing was created');
      const answer = typed === '' ? usual : typed;
      const problem = judge(answer);
      if (problem === undefined) return answer;
      output.note('warning', problem);
    }
  };
}

const any: Judge = () => undefined;

const size: Judge = (text) =>
  parseSize(text) === undefined ? `a size is a number with K, M, G or T, such as 8G, not "${text}"` : undefined;

const wholeNumber: Judge = (text) => (/^[1-9]\d{0,3}$/.test(text) ? undefined : `"${text}" is not a whole number`);

const yesOrNo: Judge = (text) => (/^(?:y|yes|n|no)$/i.test(text) ? undefined : 'the answer must be y or n');

const networkName: Judge = (text) => (isInterfaceName(text) ? undefined : INTERFACE_NAME_RULE);

const keyFile: Judge = (text) =>
  text === '' || isThere(atHome(text)) ? undefined : `there is no file "${text}"; Enter without one: no login`;

const knownOs: Judge = (text) => {
  try {
    if (text !== '') osPreset(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return error.hint === undefined ? error.message : `${error.message}: ${error.hint}`;
  }
};

function freeName({ fleet }: Context): Judge {
  const taken = new Set(
    fleet()
      .list()
      .flatMap(({ longName, shortName }) => [longName, shortName])
      .map((name) => name?.toLowerCase()),
  );
  return (text) => {
    if (!isValidName(text)) return NAME_RULE;
    return taken.has(text.toLowerCase()) ? `there is a machine "${text}" already` : undefined;
  };
}

function usableSource(images: readonly string[]): Judge {
  return (text) => {
    if (text === '' || isUrl(text) || images.includes(text) || isThere(atHome(text))) return undefined;
    return `there is no file and no fetched image "${text}"`;
  };
}

function sourceText(images: readonly string[]): string {
  const fetched = images.length === 0 ? '' : `, or ${images.join(', ')}`;
  return `Image or installer: a file or an address${fetched} (Enter: an empty disk)`;
}

function networkText(): string {
  const bridges = interfaceNames().filter((name) => typeof readBridge(name) === 'object');
  return `Network: user (NAT), or a bridge${bridges.length === 0 ? '' : ` (${bridges.join(', ')})`}`;
}

/** No shell has expanded it. */
function atHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

function ownKey(): string {
  const keys = ['id_ed25519.pub', 'id_ecdsa.pub', 'id_rsa.pub'].map((name) => join(homedir(), '.ssh', name));
  return keys.find(isThere) ?? '';
}
