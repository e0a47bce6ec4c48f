import type { Style } from '../../../output/output.ts';
import { printableCell } from '../../../output/printable.ts';
import { sizeText } from '../../../output/sizes.ts';
import { stateStyle } from '../../../output/state-style.ts';
import { fitTable, tableLines } from '../../../output/table.ts';
import { uptime } from '../../../output/times.ts';
import type { TopRow } from './row.ts';
import { SORTS, type View } from './view.ts';

/** Size of a terminal in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A line, and whether it is under the cursor. */
export interface FrameLine {
  readonly text: string;
  readonly isSelected: boolean;
}

const HEADINGS = ['NAME', 'STATE', 'CPU%', '', 'MEM', 'READ/s', 'WRITE/s', 'RX/s', 'TX/s', 'UP', 'JOB'];

/** Columns that give way on a narrow terminal, the first one first. */
const OPTIONAL = ['JOB', '', 'UP', 'TX/s', 'RX/s', 'WRITE/s', 'READ/s'];

/** Lines above the table, with its headings. */
const HEAD_LINES = 3;

/** Rows of machines that fit on a screen. */
export function pageOf({ rows }: Size): number {
  return Math.max(1, rows - HEAD_LINES - 1);
}

/**
 * The screen as lines, not longer than it is wide. Pure.
 *
 * @param shown rows in the order of the view.
 * @param all number of machines, also of those that the filter leaves out.
 */
export function frame(
  shown: readonly TopRow[],
  view: View,
  size: Size,
  { all, host, time }: { readonly all: number; readonly host: string; readonly time: string },
  paint: (style: Style, text: string) => string = (_, text) => text,
): FrameLine[] {
  const page = pageOf(size);
  const offset = Math.min(view.offset, Math.max(0, shown.length - page));
  const slice = shown.slice(offset, offset + page);
  // Widths are those of all rows, so that columns do not move while scrolling.
  const table = fitTable([HEADINGS, ...shown.map(cells)], { optional: OPTIONAL, cut: 'NAME' }, size.columns);
  const lines = tableLines(table, (cell, heading) => {
    const style = stateStyle(cell, heading);
    return style === undefined ? cell : paint(style, cell);
  });
  const [heading = '', ...body] = lines;
  const selectedName = view.selected ?? shown[0]?.sample.name;
  const plain = (text: string): FrameLine => ({ text, isSelected: false });
  const machines = slice.map(
    (row, at): FrameLine => ({
      text: body[offset + at] ?? '',
      isSelected: row.sample.name === selectedName,
    }),
  );
  const blank = Array.from({ length: Math.max(0, page - slice.length) }, () => plain(''));
  const middle = view.showsHelp ? helpLines(page).map(plain) : [...machines, ...blank];
  return [
    plain(clip(summary(shown, all, host, time), size.columns)),
    plain(''),
    plain(paint('dim', clip(heading, size.columns))),
    ...middle,
    plain(clip(footer(view), size.columns)),
  ];
}

function cells({ sample, rates, cpuHistory }: TopRow): string[] {
  const { running } = sample;
  const rate = (value: number | undefined): string =>
    running === undefined ? '' : value === undefined ? '–' : sizeText(value);
  const [job] = running?.jobs ?? [];
  return [
    printableCell(sample.name),
    sample.saved ? 'saved' : sample.state,
    running === undefined ? '' : rates === undefined ? '–' : rates.cpuPercent.toFixed(1),
    sparkline(cpuHistory, 100 * (sample.vcpus ?? 1)),
    running === undefined ? '' : sizeText(running.residentBytes),
    running?.disks.length === 0 ? '' : rate(rates?.readBytesPerSecond),
    running?.disks.length === 0 ? '' : rate(rates?.writtenBytesPerSecond),
    running?.nics.length === 0 ? '' : rate(rates?.receivedBytesPerSecond),
    running?.nics.length === 0 ? '' : rate(rates?.transmittedBytesPerSecond),
    running === undefined ? '' : uptime(Math.max(0, Math.floor(Date.now() / 1000 - running.startSeconds))),
    job === undefined ? '' : `${job.type} ${Math.floor(100 * job.ratio)} %`,
  ];
}

const BARS = '▁▂▃▄▅▆▇█';

/** Values as bars, the newest at the right. Pure. */
export function sparkline(values: readonly number[], top: number): string {
  return values
    .map((value) => BARS[Math.min(BARS.length - 1, Math.max(0, Math.floor((value / top) * BARS.length)))] ?? '')
    .join('');
}

function summary(shown: readonly TopRow[], all: number, host: string, time: string): string {
  const count = (state: string): number => shown.filter(({ sample }) => sample.state === state).length;
  const cpu = shown.reduce((sum, { rates }) => sum + (rates?.cpuPercent ?? 0), 0);
  const memory = shown.reduce((sum, { sample }) => sum + (sample.running?.residentBytes ?? 0), 0);
  const silent = count('unresponsive');
  const parts = [
    // What follows counts those that are shown.
    `${shown.length < all ? `${shown.length} of ` : ''}${all} ${all === 1 ? 'machine' : 'machines'}`,
    `${count('running')} running`,
    ...(silent > 0 ? [`${silent} unresponsive`] : []),
    `CPU ${cpu.toFixed(0)} %`,
    `memory ${sizeText(memory)}`,
  ];
  return `qemu-init top  ${host}  ${time}  ${parts.join(', ')}`;
}

function footer(view: View): string {
  if (view.prompt !== undefined) return view.prompt;
  if (view.isFiltering) return `filter: ${view.filter}_  (Enter: keep, Esc: clear)`;
  const filter = view.filter === '' ? '' : `  filter "${view.filter}"`;
  return `sorted by ${view.sort}${view.reversed ? ', reversed' : ''}${filter}  ?: help  q: quit`;
}

function helpLines(page: number): string[] {
  const sorts = Object.values(SORTS);
  const lines = [
    'arrows, PgUp, PgDn, Home, End   choose a machine',
    'Enter                           its console (leave with Ctrl-])',
    'l                               what it printed last',
    'v                               how to view its screen',
    'p                               pause it, or let it go on',
    'x                               stop it (asks first)',
    '/                               show only names with these letters',
    `${Object.keys(SORTS).join(' ').padEnd(32)}sort by ${sorts.slice(0, 4).join(', ')},`,
    `${''.padEnd(32)}${sorts.slice(4).join(', ')}; again: reversed`,
    'q                               quit',
  ];
  return Array.from({ length: page }, (_, at) => lines[at] ?? '');
}

function clip(text: string, width: number): string {
  return text.length > width ? text.slice(0, width) : text;
}
