import { quote } from '../../base/text.ts';

/** Where a line is. */
interface Place {
  /** From 1. */
  readonly number: number;
  /** Offset of its first character in the file. */
  readonly start: number;
  /** Offset after its last character, before the end-of-line mark. */
  readonly end: number;
  /** Offset of the next line. */
  readonly next: number;
}

/** One line of a cfg, conf or reg file. */
export type CfgLine = Place &
  (
    | { readonly kind: 'blank' }
    | { readonly kind: 'comment'; readonly text: string }
    | { readonly kind: 'section'; readonly name: string }
    | {
        readonly kind: 'entry';
        readonly key: string;
        readonly value: string;
        readonly quoted: boolean;
        /** Offsets of the value as written, quotes included. */
        readonly valueStart: number;
        readonly valueEnd: number;
      }
    /** Line of the raw section, as written. */
    | { readonly kind: 'raw'; readonly text: string }
    | {
        readonly kind: 'bad';
        readonly problem: string;
        readonly hint?: string | undefined;
        /** When it can be made out. */
        readonly key?: string | undefined;
      }
  );

type LineContent = CfgLine extends infer L ? (L extends Place ? Omit<L, keyof Place> : never) : never;

/** Characters; longer lines are refused. */
const LONGEST_LINE = 64 * 1024;

const TAB = 0x09;

const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Reads a file line by line: `KEY=value`, `KEY="value"`, `[section]`, and comments after `#` or `;` at the start of a
 * line or, after an unquoted value, after a blank. Inside double quotes `\"` is a quote and `\\` a backslash; any other
 * character is taken literally. LF and CRLF both end a line; a byte order mark is skipped.
 *
 * @param rawSection section whose lines are passed on as written, except for blank and comment lines.
 */
export function* scanLines(text: string, rawSection?: string): Generator<CfgLine> {
  let start = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  let inRaw = false;
  for (let number = 1; start < text.length; number++) {
    const newline = text.indexOf('\n', start);
    const next = newline < 0 ? text.length : newline + 1;
    const lineEnd = newline < 0 ? text.length : newline;
    const end = lineEnd > start && text[lineEnd - 1] === '\r' ? lineEnd - 1 : lineEnd;
    const content = readLine(text.slice(start, end), start, inRaw);
    if (content.kind === 'section') inRaw = content.name === rawSection;
    // Spreading both into a new object takes five times as long, and this is done for each line.
    yield Object.assign(content, { number, start, end, next });
    start = next;
  }
}

/** Writes a value so that {@link scanLines} reads it back: bare when it is simple, else in double quotes. */
export function renderValue(value: string): string {
  return /^[A-Za-z0-9_./:,=+@%-]*$/.test(value) ? value : renderQuoted(value);
}

/** Writes a value in double quotes. */
export function renderQuoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** The first character that no line may have (control characters but tab), as `U+0000`; undefined when there is none. */
export function findControlCharacter(text: string): string | undefined {
  // Every character of every file comes through here; a pattern for it takes ten times as long.
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isControl = code < 0x20 ? code !== TAB : code >= 0x7f && code <= 0x9f;
    if (isControl) return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  }
  return undefined;
}

function readLine(line: string, offset: number, inRaw: boolean): LineContent {
  if (line.length > LONGEST_LINE) return bad(`The line is longer than ${LONGEST_LINE} characters`);
  const control = findControlCharacter(line);
  if (control !== undefined) return bad(`The line has a control character (${control})`, 'is this a text file?');

  const text = trimBlanks(line);
  if (text === '') return { kind: 'blank' };
  if (text.startsWith('#') || text.startsWith(';')) return { kind: 'comment', text };
  const section = /^\[([^\]]*)\][ \t]*(?:[#;].*)?$/su.exec(text)?.[1];
  if (section !== undefined) return { kind: 'section', name: trimBlanks(section) };
  if (inRaw) return { kind: 'raw', text };
  return readEntry(line, offset);
}

function readEntry(line: string, offset: number): LineContent {
  const equals = line.indexOf('=');
  const isOption = /^-{1,2}[a-z]/.test(trimBlanks(line));
  if (isOption) return bad(`${quote(trimBlanks(line))} is not KEY=value`, 'write QEMU options below a line [custom]');
  if (equals < 0) return bad(`${quote(trimBlanks(line))} is not KEY=value`, 'comments start with "#"');
  const key = trimBlanks(line.slice(0, equals));
  if (key === '') return bad(`${quote(trimBlanks(line))} has no key before the "="`);
  if (/[ \t]/.test(key)) {
    return bad(`${quote(key)} is not a key`, /^export\b/.test(key) ? 'leave out "export"' : 'write KEY=value');
  }

  const from = equals + 1 + (/^[ \t]*/.exec(line.slice(equals + 1))?.[0].length ?? 0);
  const rest = line.slice(from);
  const read = rest.startsWith('"') ? readQuoted(rest) : readBare(rest, from > equals + 1);
  if ('problem' in read) return bad(`${quote(key)}: ${read.problem}`, read.hint, key);
  return {
    kind: 'entry',
    key,
    value: read.value,
    quoted: rest.startsWith('"'),
    valueStart: offset + from,
    valueEnd: offset + from + read.length,
  };
}

type ReadValue =
  | { readonly value: string; readonly length: number }
  | { readonly problem: string; readonly hint: string };

function readQuoted(rest: string): ReadValue {
  let value = '';
  for (let at = 1; at < rest.length; at++) {
    const character = rest.charAt(at);
    if (character === '"') {
      const after = trimBlanks(rest.slice(at + 1));
      if (after === '' || /^[#;]/.test(after)) return { value, length: at + 1 };
      return {
        problem: `${quote(after)} follows the closing quote`,
        hint: String.raw`put the whole value in double quotes and write a quote inside as \"`,
      };
    }
    const next = rest.charAt(at + 1);
    if (character === '\\' && (next === '"' || next === '\\')) {
      value += next;
      at += 1;
    } else {
      value += character;
    }
  }
  return { problem: `${quote(rest)} has no closing quote`, hint: String.raw`write a quote inside as \"` };
}

/** Quotes that do not quote here, though a shell or a web page has them do so. */
const OTHER_QUOTES = /^(?:'[^']*'|[\u201c\u201d\u201e\u2018\u2019\u201a].*[\u201c\u201d\u2018\u2019])$/su;

function readBare(rest: string, afterBlank: boolean): ReadValue {
  const comment = afterBlank && /^[#;]/.test(rest) ? 0 : rest.search(/[ \t][#;]/);
  const value = trimBlanks(comment < 0 ? rest : rest.slice(0, comment));
  if (OTHER_QUOTES.test(value)) {
    const hint = 'write KEY="value"; put quotes that belong to the value inside these';
    return { problem: `${quote(value)} is in the wrong kind of quotes, which would become part of the value`, hint };
  }
  return { value, length: value.length };
}

function bad(problem: string, hint?: string, key?: string): LineContent {
  return { kind: 'bad', problem, hint, key };
}

/** Without the blanks and tabs around it. No pattern does the end: it would look at each blank of a long run again. */
function trimBlanks(text: string): string {
  let end = text.length;
  while (isBlank(text[end - 1])) end -= 1;
  let start = 0;
  while (start < end && isBlank(text[start])) start += 1;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}
