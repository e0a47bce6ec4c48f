import type { Problem } from '../../base/problem.ts';
import { hugePageBytes } from '../../config/rights/huge-pages.ts';
import { renderSize } from '../../config/text/values.ts';
import type { MachineConfig } from '../../config/types.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import { issueAt } from './issues.ts';

/**
 * Huge pages that the host does not keep. Those that it keeps may be in use, by this machine too: QEMU itself finds that
 * out.
 *
 * @param root folder that `/proc` and `/sys` are in.
 */
export function hugePageIssues(config: MachineConfig, root = ''): Problem[] {
  if (config.hugePages === undefined) return [];
  const pageBytes = hugePageBytes(config) ?? defaultPageBytes(root);
  const folder = `/sys/kernel/mm/hugepages/hugepages-${(pageBytes ?? 0) / 1024}kB`;
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
  const most = kept + (numberIn(`${root}${folder}/nr_overcommit_hugepages`) ?? 0);
  if (most >= needed) return [];
  const message = `HUGEPAGES needs ${needed} huge pages of ${renderSize(pageBytes)}, but this host keeps ${most}`;
  return issue(message, `have it keep more: echo ${kept + needed} >${folder}/nr_hugepages`);
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
