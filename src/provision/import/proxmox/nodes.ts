import { renderOptionList } from '../../../config/text/option-list.ts';
import { renderSize } from '../../../config/text/values.ts';
import type { ImportPlace } from '../draft.ts';
import { parseProperties } from './conf.ts';
import type { ProxmoxSource } from './source.ts';

const MIB = 1024 ** 2;

/** numa0 …: `cpus=0-1;4,memory=1024,hostnodes=0,policy=bind`. */
export function readNode({ draft, values }: ProxmoxSource, value: string, place: ImportPlace): void {
  if (values.get('numa') !== '1') {
    draft.lose(place, 'has no effect without "numa: 1"');
    return;
  }
  const words = new Map(parseProperties(value, 'cpus'));
  const options = (words.get('cpus') ?? '').split(';').map((range): [string, string] => ['cpus', range]);
  const nodes = words.get('hostnodes');
  if (nodes !== undefined) options.push(['hostnodes', nodes], ['policy', words.get('policy') ?? 'bind']);
  const size = renderSize(Number(words.get('memory') ?? '0') * MIB);
  draft.carry(place, draft.addDevice('NUMA', size, options), renderOptionList(size, options));
}

/** `numa: 1` without numa0: a node for each socket. */
export function addSocketNodes({ draft, values }: ProxmoxSource, place: ImportPlace): void {
  if (values.has('numa0')) {
    draft.carry(place, 'NUMAx');
    return;
  }
  const [sockets, cores] = [Number(values.get('sockets') ?? '1'), Number(values.get('cores') ?? '1')];
  const memory = Number(/^(?:current=)?(\d+)/.exec(values.get('memory') ?? '512')?.[1] ?? '0');
  if (memory % sockets !== 0 || values.get('hotplug')?.includes('memory')) {
    draft.lose(place, 'its memory is not the same in each node; see NUMAx');
    return;
  }
  for (let socket = 0; socket < sockets; socket += 1) {
    const [first, last] = [socket * cores, (socket + 1) * cores - 1];
    const cpus: [string, string] = ['cpus', first === last ? String(first) : `${first}-${last}`];
    const size = renderSize((memory / sockets) * MIB);
    draft.carry(place, draft.addDevice('NUMA', size, [cpus]), renderOptionList(size, [cpus]));
  }
}
