import { quoteComma } from '../../../base/text.ts';
import type { ShareConfig } from '../../../config/device-config.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { type Chipset, pciPlace } from '../chipset.ts';
import { device, option, type Part } from '../description.ts';
import { properties } from '../option.ts';
import { shareFd } from './helper-fds.ts';

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
