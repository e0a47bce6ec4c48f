import type { ImportDraft } from './draft.ts';

/**
 * Sets SMP from a value of `-smp`, whose `maxcpus=` is MAXSMP if there is room for more processors. With levels such as
 * sockets=, which are those of all processors, it stays a part of SMP.
 *
 * @returns the value of SMP.
 */
export function setProcessors(draft: ImportDraft, written: string): string {
  const words = written.split(',');
  const most = words.find((word) => word.startsWith('maxcpus='))?.slice('maxcpus='.length);
  const count = words.find((word) => /^(?:cpus=)?\d+$/.test(word))?.replace('cpus=', '');
  const isPlain = words.length === 2 && count !== undefined && Number(most) > Number(count);
  const smp = isPlain ? count : written;
  draft.settings.set('SMP', smp);
  if (isPlain && most !== undefined) draft.settings.set('MAXSMP', most);
  return smp;
}
