import type { Problem } from '../../base/problem.ts';
import { hugePageBytes } from '../../config/rights/huge-pages.ts';
import { parseSize, renderSize } from '../../config/text/values.ts';
import type { MachineConfig } from '../../config/types.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import { issueAt } from './issues.ts';
import { readValues, splitOptions } from './option-values.ts';

/**
 * Huge pages that the host does not keep. Those that it keeps may be in use, by this machine too: QEMU itself finds that
 * out.
 *
 * @param root folder that `/proc` and `/sys` are in.
 */
export function hugePageIssues(config: MachineConfig, root = ''): Problem[] {
  return [...keyIssues(config, root), ...customIssues(config, root)];
}

function keyIssues(config: MachineConfig, root: string): Problem[] {
  if (config.hugePages === undefined) return [];
  const pageBytes = hugePageBytes(config) ?? defaultPageBytes(root);
  const folder = folderOf(pageBytes ?? 0);
  const kept = numberIn(`${root}${folder}/nr_hugepages`);
  const issue = (message: string, hint: string): Problem[] => [issueAt(config, 'HUGEPAGES', message, hint)];
  if (pageBytes === undefined || kept === undefined) {
    const which = pageBytes === undefined ? '' : ` of ${renderSize(pageBytes)}`;
    return issue(`HUGEPAGES is ${config.hugePages}, but this host has no huge pages${which}`, 'set HUGEPAGES=off');
  }
  const { memoryBytes } = config;
  if (memoryBytes % pageBytes !== 0) {
    const message = `RAM ${renderSize(memoryBytes)} is no multiple of the huge pages of this host, of ${renderSize(pageBytes)}`;
    return [issueAt(config, 'RAM', message)];
  }
  const needed = memoryBytes / pageBytes;
  const most = mostPages(pageBytes, root);
  if (most >= needed) return [];
  const message = `HUGEPAGES needs ${needed} huge pages of ${renderSize(pageBytes)}, but this host keeps ${most}`;
  return issue(message, `have it keep more: echo ${kept + needed} >${folder}/nr_hugepages`);
}

/** Objects of `[custom]` with memory in huge pages. */
function customIssues({ custom, preCommand }: MachineConfig, root: string): Problem[] {
  return custom.flatMap(({ args, origin }) =>
    splitOptions(args).flatMap(({ option, name, values: [value = ''] }): Problem[] => {
      const read = readValues(value);
      if (name !== 'object' || !/^(?:on|true|yes|y)$/.test(read.get('hugetlb') ?? '')) return [];
      // QEMU starts without them.
      if (/^(?:off|false|no|n)$/.test(read.get('reserve') ?? '')) return [];
      const size = bytesOf(read.get('size'));
      const pageBytes = read.has('hugetlbsize') ? bytesOf(read.get('hugetlbsize')) : defaultPageBytes(root);
      if (size === undefined || pageBytes === undefined) return [];
      const needed = Math.ceil(size / pageBytes);
      const most = mostPages(pageBytes, root);
      if (most >= needed) return [];
      const message = `"${option}" in [custom] needs ${needed} huge pages of ${renderSize(pageBytes)}, but this host keeps ${most}`;
      // The hook that runs before QEMU may have the host keep them.
      const severity = preCommand.length > 0 ? 'warning' : 'error';
      return [{ ...origin, message, severity, hint: `have it keep more: ${folderOf(pageBytes)}/nr_hugepages` }];
    }),
  );
}

/** QEMU reads a number without a unit as bytes here. */
function bytesOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseSize(/^\d+$/.test(text) ? `${text}B` : text);
}

function folderOf(pageBytes: number): string {
  return `/sys/kernel/mm/hugepages/hugepages-${pageBytes / 1024}kB`;
}

/** Pages that the host keeps, and that it may take in addition. */
function mostPages(pageBytes: number, root: string): number {
  const folder = `${root}${folderOf(pageBytes)}`;
  return (numberIn(`${folder}/nr_hugepages`) ?? 0) + (numberIn(`${folder}/nr_overcommit_hugepages`) ?? 0);
}

/** proc(5), "Hugepagesize". */
function defaultPageBytes(root: string): number | undefined {
  const found = /^Hugepagesize:\s+(\d+) kB$/m.exec(readTextIfExists(`${root}/proc/meminfo`) ?? '')?.[1];
  return found === undefined ? undefined : Number(found) * 1024;
}

function numberIn(path: string): number | undefined {
  const text = readTextIfExists(path)?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
