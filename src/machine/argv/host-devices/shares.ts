import { quoteComma } from '../../../base/text.ts';
import { renderSize } from '../../../config/text/values.ts';
import type { MachineConfig, ShareConfig } from '../../../config/types.ts';
import { type Chipset, pciPlace } from '../chipset.ts';
import { device, object, option, type Part, type QemuObject } from '../description.ts';
import { properties } from '../option.ts';
import { shareFd, virtiofsShares } from './helper-fds.ts';

/** The folders of the host that the guest can mount. */
export function shareParts(config: MachineConfig, chipset: Chipset): Part[] {
  const { shares } = config;
  const suffix = chipset === 'other' ? '-device' : '-pci';
  return shares.flatMap((share, position): Part[] => {
    const key = `SHARE${share.index}`;
    const id = `share${share.index}`;
    const place = { id, ...pciPlace(chipset, 'share', position, shares.length) };
    return share.driver === '9p'
      ? [
          option(key, '-fsdev', localFolder(id, share)),
          device(key, `virtio-9p${suffix}`, place, { fsdev: id, mount_tag: share.tag }),
        ]
      : [
          option(key, '-chardev', `socket,id=${id},fd=${shareFd(config, share)}`),
          device(key, `vhost-user-fs${suffix}`, place, { chardev: id, tag: share.tag }),
        ];
  });
}

/** What the guest sets is kept in attributes: a link that it makes leads nobody on the host elsewhere. */
function localFolder(id: string, { path, readonly }: ShareConfig): string {
  const model = 'security_model=mapped-xattr,multidevs=remap';
  return properties(`local,id=${id},path=${quoteComma(path)},${model}`, readonly && 'readonly=on');
}

/** Whether the guest's memory has to be shared with another program. */
export function sharesMemory(config: Pick<MachineConfig, 'shares'>): boolean {
  return virtiofsShares(config).length > 0;
}

/** Name of the board's memory, when it is an object. */
export const MEMORY = 'ram';

/** The memory of a board that shares it, if it has no nodes with memory of their own. */
export function sharedMemory({ shares, numa, memoryBytes }: MachineConfig): QemuObject[] {
  const [share] = virtiofsShares({ shares });
  if (share === undefined || numa.length > 0) return [];
  return [
    object(`SHARE${share.index}`, 'memory-backend-memfd', MEMORY, { size: renderSize(memoryBytes), share: true }),
  ];
}
