import { basename } from 'node:path';
import { QemuError } from '../../../base/errors.ts';
import { checkCustom } from '../../../config/custom-options.ts';
import { ImportDraft } from '../draft.ts';
import type { ImportFiles } from '../files.ts';
import { readBoard } from './board.ts';
import { readChannels } from './channels.ts';
import { isController, readControllers, readDevices } from './devices.ts';
import { readDisks } from './disks.ts';
import { readFirmware } from './firmware.ts';
import { hasScreen, isKvmByName, targetOf } from './names.ts';
import { assumeNic, readNics } from './nics.ts';
import { readOldOptions } from './old-options.ts';
import { type CommandOption, parseOptions, property } from './options.ts';
import { qemuAt } from './program.ts';
import { applySet } from './set-option.ts';
import { CommandSource } from './source.ts';
import { type Command, type CommandWord, splitCommands } from './words.ts';

/**
 * Reads a command line of QEMU. What is understood on both sides, a drive and its device for instance, becomes keys;
 * everything else goes to `[custom]` in its order, with all that it refers to.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` with the line.
 */
export function readCommand(text: string, path: string, files: ImportFiles): ImportDraft {
  const commands = splitCommands(text, path);
  const found = commands.find(({ words }) => qemuAt(words.map((word) => word.text)) >= 0);
  if (found === undefined) throw new QemuError('QEMU_CONFIG_INVALID', `${path}:1: not a command line of QEMU`);
  const draft = new ImportDraft();
  for (const command of commands) if (command !== found) loseCommand(draft, command);
  const at = qemuAt(found.words.map((word) => word.text));
  const program = found.words[at];
  const options = parseOptions(found.words.slice(at + 1));
  const source = new CommandSource(
    applySet(draft, withoutRefused(draft, options)),
    draft,
    files,
    isKvmByName(basename(program?.text ?? '')),
  );
  for (const { line, text: word } of found.words.slice(0, at))
    draft.lose({ line, source: word }, 'what runs QEMU is not taken over');
  for (const { line, text: word } of found.redirections)
    draft.lose({ line, source: word }, 'the log of QEMU is kept by qemu-init');
  if (program) readProgram(draft, program, files);
  readBoard(source);
  readFirmware(source);
  readChannels(source);
  readDevices(source);
  readDisks(source);
  readNics(source);
  assumeNic(source);
  readOldOptions(source);
  const needed = keepRest(source);
  readControllers(source, needed);
  source.loseUnknown();
  writeCustom(source);
  assumeDefaults(source);
  return draft;
}

/** Takes out what cannot be used, and what is nothing without it: the device of a drive, for instance. */
function withoutRefused(draft: ImportDraft, options: readonly CommandOption[]): CommandOption[] {
  const refused = options.filter(({ problem }) => problem !== undefined);
  for (const { problem, ...place } of refused) draft.refuse(place, problem ?? '');
  const rest = options.filter(({ problem }) => problem === undefined);
  const needing = refuseNeeding(draft, rest, refused);
  return rest.filter((option) => !needing.includes(option));
}

/** Refuses what is nothing without what is refused already, and returns it. */
function refuseNeeding(
  draft: ImportDraft,
  options: readonly CommandOption[],
  refused: readonly CommandOption[],
): CommandOption[] {
  const gone = [...refused];
  // The list grows while it is read.
  for (const each of gone) {
    const id = property(each, 'id') ?? property(each, 'node-name');
    const needing = options.filter(
      (option) => id !== undefined && !gone.includes(option) && option.properties.some((part) => isBackEnd(part, id)),
    );
    for (const option of needing) draft.refuse(option, `needs "${id}", which is refused`);
    gone.push(...needing);
  }
  return gone.slice(refused.length);
}

/** Properties that name what a device is nothing without. */
const BACK_ENDS = ['drive', 'netdev', 'chardev', 'memdev', 'fsdev', 'tpmdev', 'file'];

function isBackEnd([name, value]: readonly [string, string], id: string): boolean {
  return BACK_ENDS.includes(name) && value === id;
}

function loseCommand(draft: ImportDraft, { words, redirections }: Command): void {
  const [first] = words;
  const source = [...words, ...redirections].map(({ text }) => text).join(' ');
  draft.lose({ line: first?.line ?? 1, source }, 'another command, which is not executed');
}

function readProgram(draft: ImportDraft, program: CommandWord, files: ImportFiles): void {
  const place = { line: program.line, source: program.text };
  const name = basename(program.text);
  const native = name.startsWith('qemu-system-') ? name : 'qemu-system-x86_64';
  if (program.text === native) draft.set(place, 'TGTARCH', native);
  else if (program.text.startsWith('/') && files.exists(program.text)) draft.set(place, 'TGTARCH', program.text);
  else draft.setChanged(place, 'TGTARCH', native, 'found by its name');
}

/** Ids that options without a counterpart refer to: what has them is kept as well. */
function keepRest(source: CommandSource): ReadonlySet<string> {
  const needed = new Set<string>();
  let rest = source.options.filter((option) => !option.isUsed && !isController(option));
  while (rest.length > 0) {
    const found = new Set(rest.flatMap(referencesOf).filter((id) => !needed.has(id)));
    for (const id of found) needed.add(id);
    rest = source.options.filter((option) => isController(option) && found.has(property(option, 'id') ?? ''));
  }
  return needed;
}

function referencesOf(option: CommandOption): string[] {
  return option.properties
    .filter(([name]) => !['id', 'driver', 'file', 'path', 'host', 'name'].includes(name))
    .flatMap(([, value]) => [value, value.replace(/\.\d+$/, '')]);
}

/** Things that are only there for others to refer to. */
const SUPPORTS = /^(?:object (?:secret|iothread|memory-backend-\w+)|audiodev .*)$/;

function writeCustom(source: CommandSource): void {
  const kept = parseOptions(source.draft.custom.flat().map((text) => ({ text, line: 1 })));
  const rest = source.options.filter(({ isUsed }) => !isUsed);
  const referred = new Set([...kept, ...rest].flatMap(referencesOf));
  const refused = rest.filter((option) => checkCustom(wordsOf(option)).some(({ severity }) => severity === 'error'));
  const needing = refuseNeeding(source.draft, rest, refused);
  for (const option of rest.filter((each) => !needing.includes(each))) {
    const kind = `${option.name} ${option.properties.find(([name]) => name === 'qom-type' || name === 'driver')?.[1]}`;
    if (SUPPORTS.test(kind) && !referred.has(property(option, 'id') ?? '')) {
      source.draft.lose(source.use(option), 'nothing that is left refers to it');
      continue;
    }
    const words = wordsOf(option);
    if (words[1] !== option.value) {
      const opened = option.properties.filter(([name]) => OPENED.test(name));
      source.loseParts(option, opened, 'QEMU opens it by itself');
    }
    source.draft.addCustom(
      source.use(option),
      words,
      'an option of QEMU that comes last; its ids must not be those of qemu-init',
    );
  }
}

/** What libvirt has opened for a device that can open it by itself. */
const OPENED = /^vhostfds?$/;

function wordsOf({ name, value, properties }: CommandOption): string[] {
  if (value === undefined) return [`-${name}`];
  if (name !== 'device' || !properties.some(([each]) => OPENED.test(each))) return [`-${name}`, value];
  const left = value.startsWith('{')
    ? JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(value)).filter(([each]) => !OPENED.test(each))))
    : value.replaceAll(/,vhostfds?=[^,]*/g, '');
  return [`-${name}`, left];
}

/** What QEMU has by itself, and what it has only when it is told. */
function assumeDefaults(source: CommandSource): void {
  const { draft } = source;
  const isBare = source.has('nodefaults');
  const isShown = hasScreen(targetOf(draft.settings.get('TGTARCH')), draft.settings.get('MACHINE') ?? 'pc');
  draft.assume('VGA', isBare || !isShown ? 'none' : 'std');
  draft.assume('SERIAL', 'off');
  draft.assume('VNC', 'off');
  for (const key of ['RNG', 'BALLOON', 'QGA']) draft.assume(key, 'off');
  draft.assume('HOTPLUG', '0');
}
