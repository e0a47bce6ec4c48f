import type { SoundConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import { type Chipset, pciPlace } from './chipset.ts';
import { device, option, type Part } from './description.ts';
import { usbDevice } from './usb.ts';

/** Id of the audio backend. */
export const AUDIO_BACKEND = 'audio';

/** QEMU's device for each card; that of Intel is a controller with a codec. */
export const SOUND_DEVICES: Readonly<Record<SoundConfig['card'], string>> = {
  hda: 'ich9-intel-hda',
  ac97: 'AC97',
  es1370: 'ES1370',
  usb: 'usb-audio',
  virtio: 'virtio-sound-pci',
};

/** The sound card and its backend. */
export function soundParts({ sound, spice }: MachineConfig, chipset: Chipset): Part[] {
  if (sound === undefined) return [];
  const player = spice && sound.backend === 'none' ? 'spice' : sound.backend;
  const backend = option('SOUND', '-audiodev', `${player},id=${AUDIO_BACKEND}`);
  const driver = SOUND_DEVICES[sound.card];
  const place = { id: 'sound', ...pciPlace(chipset, 'sound') };
  const audiodev = AUDIO_BACKEND;
  switch (sound.card) {
    case 'hda':
      return [
        backend,
        device('SOUND', driver, place),
        device('SOUND', 'hda-duplex', { id: 'codec', bus: 'sound.0' }, { cad: 0, audiodev }),
      ];
    case 'usb':
      return [backend, usbDevice('SOUND', driver, 'sound', { audiodev })];
    case 'ac97':
    case 'es1370':
    case 'virtio':
      return [backend, device('SOUND', driver, place, { audiodev })];
    default:
      return sound.card satisfies never;
  }
}
