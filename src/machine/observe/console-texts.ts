import type { SearchedText } from '../../system/process/regex-worker.ts';

/** Longer lines are searched in pieces: what a pattern costs grows with the square of a line's length, or worse. */
const LONG_LINE = 4096;
/** A piece of a long line, and by how much two overlap: a match up to that length is in one of them. */
const PIECE = 2048;
const OVERLAP = 1024;

/**
 * The texts in which a console is searched: all of it, with only the ends of long lines, and in addition the long lines
 * in pieces that overlap. Pure.
 */
export function consoleTexts(text: string): SearchedText[] {
  const long: SearchedText[] = [];
  const shortened = text.replaceAll(LONG_LINES, (line, at: number) => {
    long.push(...pieces(text, at, at + line.length));
    return `${CUT}${line.slice(1 - LONG_LINE)}`;
  });
  // Most often what is waited for is a short line at the end.
  return [{ text: shortened, from: 0 }, ...long];
}

const LONG_LINES = new RegExp(`[^\\n]{${LONG_LINE + 1},}`, 'g');

/** Marks where a line was cut, so that `^` and `$` do not match there. */
const CUT = '\uFFFD';

function pieces(text: string, start: number, end: number): SearchedText[] {
  const found: SearchedText[] = [];
  for (let at = start; at === start || at + OVERLAP < end; at += PIECE - OVERLAP) {
    const isFirst = at === start;
    const isLast = at + PIECE >= end;
    const piece = text.slice(at, Math.min(at + PIECE, end));
    found.push({ text: `${isFirst ? '' : CUT}${piece}${isLast ? '' : CUT}`, from: isFirst ? 0 : 1 });
  }
  return found;
}
