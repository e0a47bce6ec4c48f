import { CUSTOM_SECTION, findKey } from '../../config/keys.ts';
import { renderMachineConfig } from '../../config/render-machine.ts';
import { scanLines } from '../../config/text/cfg-lines.ts';
import { removeKey, setKey } from '../../config/text/edit-text.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { Part } from '../argv/description.ts';
import { renderOption } from '../argv/render/argv.ts';

/** Values of keys as text, as a cfg file has them. */
export type Texts = ReadonlyMap<string, string>;

/** What the lines of a cfg file set. */
export function textsOf(config: string): Texts {
  const lines = [...scanLines(config, CUSTOM_SECTION)];
  const raw = lines.flatMap((line) => (line.kind === 'raw' ? [line.text] : []));
  return new Map([
    ...lines.flatMap((line): [string, string][] => (line.kind === 'entry' ? [[line.key, line.value]] : [])),
    ...(raw.length > 0 ? [[`[${CUSTOM_SECTION}]`, raw.join(' ')] as const] : []),
  ]);
}

/** The same of a configuration, with every path absolute. */
export function textsOfConfig(config: MachineConfig): Texts {
  return textsOf(renderMachineConfig(config));
}

/**
 * The value of a key as it is shown: its default when the file does not set it, and the disc or the options of QEMU when
 * no key shows the difference.
 */
export function shownText(key: string, texts: Texts, other: Texts, parts: readonly Part[]): string {
  const value = texts.get(key);
  if (value !== other.get(key) && (value !== undefined || findKey(key) !== undefined)) {
    return value ?? defaultOf(key);
  }
  const disc = parts.map(discOf).find((each) => each !== undefined);
  return disc ?? parts.flatMap((part) => renderOption(part).args).join(' ');
}

/** Discs come and go without the file: what is in the drive, as a file would have it. */
function discOf(part: Part): string | undefined {
  const drive = part.kind === 'device' ? part.drive : part;
  if (drive?.kind !== 'drive' || drive.media !== 'cdrom') return undefined;
  return drive.image?.file ?? 'empty';
}

/** Of a member of a family there is none. */
function defaultOf(key: string): string {
  const spec = findKey(key);
  return spec === undefined || spec.family === true ? '' : spec.default;
}

/** A cfg file with the value of a key that another one has. */
export function withText(config: string, key: string, texts: Texts): string {
  const value = texts.get(key);
  return value === undefined ? removeKey(config, key) : setKey(config, key, value);
}
