import { QemuError } from '../../base/errors.ts';
import { CUSTOM_SECTION } from '../keys.ts';
import { type CfgLine, findControlCharacter, renderQuoted, renderValue, scanLines } from './cfg-lines.ts';

/**
 * Sets one key in the text of a cfg file and leaves every other byte as it is. A key that is there keeps its line, its
 * quotes and the comment after it; a new one goes below its commented-out line when there is one, else after the last
 * key, always before `[custom]`.
 *
 * @throws {QemuError} `QEMU_USAGE` when the value cannot stand on a line.
 */
export function setKey(text: string, key: string, value: string): string {
  const control = findControlCharacter(value);
  if (control !== undefined) {
    throw new QemuError('QEMU_USAGE', `Cannot set ${key}: the value has a control character (${control})`);
  }
  const lines = [...scanLines(text, CUSTOM_SECTION)];
  const section = lines.findIndex(({ kind }) => kind === 'section');
  const keyLines = section < 0 ? lines : lines.slice(0, section);
  for (const line of keyLines) {
    if (line.kind !== 'entry' || line.key !== key) continue;
    const written = line.quoted ? renderQuoted(value) : renderValue(value);
    return text.slice(0, line.valueStart) + written + text.slice(line.valueEnd);
  }
  return insertLine(text, placeFor(text, key, keyLines), `${key}=${renderValue(value)}`);
}

/** Removes the lines of a key in the text of a cfg file and leaves every other byte as it is. */
export function removeKey(text: string, key: string): string {
  const lines = [...scanLines(text, CUSTOM_SECTION)].filter((line) => line.kind === 'entry' && line.key === key);
  return lines.reduceRight((rest, { start, next }) => rest.slice(0, start) + rest.slice(next), text);
}

/**
 * Inserts a line, with the end-of-line mark that the file uses.
 *
 * @param offset start of a line, or the end of the text.
 */
export function insertLine(text: string, offset: number, line: string): string {
  const mark = text.includes('\r\n') ? '\r\n' : '\n';
  const before = text.slice(0, offset);
  const isOpen = before !== '' && before !== '\uFEFF' && !before.endsWith('\n');
  return before + (isOpen ? mark : '') + line + mark + text.slice(offset);
}

function placeFor(text: string, key: string, keyLines: readonly CfgLine[]): number {
  const commented = keyLines.findLast((line) => {
    return line.kind === 'comment' && line.text.replace(/^[#;]+[ \t]*/, '').match(/^([^=\s]+)[ \t]*=/)?.[1] === key;
  });
  const last =
    commented ?? keyLines.findLast(({ kind }) => kind === 'entry') ?? keyLines.findLast(({ kind }) => kind !== 'blank');
  return last?.next ?? (text.startsWith('\uFEFF') ? 1 : 0);
}
