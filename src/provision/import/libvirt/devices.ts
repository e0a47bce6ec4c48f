import type { ImportDraft } from '../draft.ts';
import type { ImportFiles } from '../files.ts';
import { readChannels } from './channels.ts';
import { inGuestOrder, readDisk } from './disks.ts';
import { readGraphics } from './graphics.ts';
import { readFilesystem, readHostDevice } from './host-devices.ts';
import { readInterface } from './interfaces.ts';
import { carry, change, lose, refuse, set, setChanged } from './sweep.ts';
import type { XmlElement } from './xml.ts';

/** `<devices>`. What is not there is switched off, so that the guest finds no new hardware. */
export function readDevices(draft: ImportDraft, root: XmlElement, files: ImportFiles): void {
  const devices = root.child('devices');
  const disks = devices?.all('disk') ?? [];
  if (devices) carry(draft, devices, '');
  const all = [...inGuestOrder(disks), ...(devices?.children ?? []).filter(({ name }) => name !== 'disk')];
  for (const each of all) readDevice(draft, each, files);
  if (devices) {
    readChannels(draft, devices);
    readGraphics(draft, devices);
    readPanic(draft, devices, root);
  }
  for (const [key, value] of ABSENT) draft.assume(key, value);
}

/** Devices that machines have unless it is said otherwise. */
const ABSENT: readonly (readonly [key: string, value: string])[] = [
  ['RNG', 'off'],
  ['BALLOON', 'off'],
  ['SERIAL', 'off'],
  ['QGA', 'off'],
  ['VNC', 'off'],
  ['VGA', 'none'],
];

type Reader = (draft: ImportDraft, element: XmlElement, files: ImportFiles) => void;

const READERS: Readonly<Record<string, Reader>> = {
  disk: readDisk,
  interface: readInterface,
  hostdev: readHostDevice,
  filesystem: readFilesystem,
  input: readInput,
  controller: readController,
  memballoon: readBalloon,
  rng: readRng,
  sound: readSound,
  audio: (draft, audio) => {
    const type = audio.attribute('type') ?? 'none';
    change(draft, audio, 'SOUND', type, 'sound is played where SOUND says');
  },
  tpm: readTpm,
  watchdog: (draft, watchdog) => {
    const model = watchdog.attribute('model');
    const action = (watchdog.attribute('action') ?? 'reset').replace('dump', 'pause');
    if (model === 'i6300esb') set(draft, watchdog, 'WATCHDOG', action);
    else if (model === 'itco') carry(draft, watchdog, '', 'part of the board');
    else setChanged(draft, watchdog, 'WATCHDOG', action, 'an i6300esb');
  },
};

/** Why devices are lost. */
const LOST: Readonly<Record<string, string>> = {
  redirdev: 'USB devices of viewers are not redirected',
  redirfilter: 'USB devices of viewers are not redirected',
  smartcard: 'smart cards are not passed on',
  hub: 'USB devices are plugged in directly',
  vsock: 'can only be given in [custom]: -device vhost-vsock-pci,guest-cid=N',
  iommu: 'can only be given in [custom]',
  shmem: 'shared memory is not set up',
  lease: 'locks of libvirt are not taken',
  parallel: 'there are no parallel ports',
  nvram: 'is made by QEMU',
  crypto: 'there is no crypto device',
  pstore: 'there is no pstore',
};

function readDevice(draft: ImportDraft, element: XmlElement, files: ImportFiles): void {
  const reader = READERS[element.name];
  const reason = LOST[element.name];
  if (reader) reader(draft, element, files);
  else if (reason !== undefined) lose(element, reason);
  for (const [name, why] of [
    ['alias', 'a name of the running domain'],
    ['address', 'places are given by qemu-init'],
  ] as const) {
    const part = element.child(name);
    if (part && part.lostReason === undefined && element.lostReason === undefined) lose(part, why);
  }
}

function readInput(draft: ImportDraft, input: XmlElement): void {
  const type = input.attribute('type') ?? '';
  const bus = input.attribute('bus') ?? 'usb';
  if (bus === 'ps2') carry(draft, input, '', 'every PC has it');
  else if (bus === 'usb' && (type === 'tablet' || type === 'keyboard')) set(draft, input, 'USB', 'on');
  else if (type === 'tablet' || type === 'mouse' || type === 'keyboard') {
    setChanged(draft, input, 'USB', 'on', 'a tablet and a keyboard on USB');
  } else lose(input, 'devices of the host are not passed on as input');
}

function readController(draft: ImportDraft, controller: XmlElement): void {
  const type = controller.attribute('type') ?? '';
  const model = controller.attribute('model') ?? '';
  controller.ignore('index', 'ports', 'vectors');
  for (const child of controller.children) lose(child, 'controllers are set up by qemu-init');
  if (type === 'scsi' && model !== '' && !model.startsWith('virtio')) {
    change(draft, controller, '', 'virtio-scsi-pci', `SCSI disks are on a virtio controller, not on "${model}"`);
  } else change(draft, controller, '', undefined, 'controllers are made where devices need them');
}

function readBalloon(draft: ImportDraft, balloon: XmlElement): void {
  const model = balloon.attribute('model') ?? 'virtio';
  balloon.ignoreUsual({ autodeflate: 'off', freePageReporting: 'off' });
  readVirtioModel(balloon, 'virtio none');
  set(draft, balloon, 'BALLOON', model === 'none' ? 'off' : 'on');
  for (const child of balloon.children) {
    if (child.name === 'stats') lose(child, 'statistics are asked for when they are wanted');
    if (child.name === 'driver') lose(child, 'has no counterpart');
  }
}

/** What libvirt calls transitional can also be driven as virtio 0.9. */
function readVirtioModel(element: XmlElement, usual: string): void {
  element.ignoreUsual({ model: `${usual} virtio-non-transitional` });
}

function readRng(draft: ImportDraft, rng: XmlElement): void {
  const backend = rng.child('backend');
  const from = backend?.ownText();
  readVirtioModel(rng, 'virtio');
  set(draft, rng, 'RNG', 'on');
  const model = backend?.attribute('model');
  if (backend && model === 'random' && (from === undefined || from === '/dev/urandom')) carry(draft, backend, 'RNG');
  else if (backend) change(draft, backend, 'RNG', 'on', 'the numbers are from the random source of the host');
  const rate = rng.child('rate');
  if (rate) lose(rate, 'the rate is not limited');
}

/** Models of sound cards that SOUND calls otherwise. */
const SOUND_CARDS: Readonly<Record<string, string>> = {
  ich6: 'hda',
  ich9: 'hda',
  ac97: 'ac97',
  es1370: 'es1370',
  usb: 'usb',
  virtio: 'virtio',
};

function readSound(draft: ImportDraft, sound: XmlElement): void {
  const model = sound.attribute('model') ?? '';
  const card = SOUND_CARDS[model];
  if (draft.settings.has('SOUND')) {
    lose(sound, 'a machine has one sound card');
    return;
  }
  if (card === undefined) setChanged(draft, sound, 'SOUND', 'hda', `there is no sound card "${model}"`);
  else set(draft, sound, 'SOUND', card);
  for (const child of sound.children)
    if (child.name !== 'address' && child.name !== 'alias') carry(draft, child, 'SOUND');
}

function readTpm(draft: ImportDraft, tpm: XmlElement): void {
  tpm.ignore('model');
  const backend = tpm.child('backend');
  if (backend?.attribute('type') !== 'emulator') {
    refuse(draft, tpm, "the host's TPM is not passed on");
    return;
  }
  backend.ignore('persistent_state', 'debug');
  if (backend.attribute('version') === '1.2')
    setChanged(draft, tpm, 'TPM', 'on', 'a TPM 2.0 without the state of the old one');
  else setChanged(draft, tpm, 'TPM', 'on', 'a new TPM: what was sealed needs its recovery key');
  carry(draft, backend, 'TPM');
  for (const child of backend.children) lose(child, 'has no counterpart');
}

/** What happens when the guest panics, which needs a device that tells it. */
function readPanic(draft: ImportDraft, devices: XmlElement, root: XmlElement): void {
  const [panic, ...others] = devices.all('panic');
  const crash = root.child('on_crash');
  const action = crash?.ownText() ?? 'destroy';
  panic?.ignoreUsual({ model: 'isa' });
  for (const other of others) lose(other, 'one device tells of a panic');
  if (panic) {
    const value = action === 'destroy' ? 'shutdown' : action === 'preserve' ? 'pause' : 'exit-failure';
    draft.settings.set('ONPANIC', value);
    carry(draft, panic, 'ONPANIC', value);
    if (crash && (action === 'destroy' || action === 'preserve')) carry(draft, crash, 'ONPANIC', value);
    else if (crash) change(draft, crash, 'ONPANIC', value, 'RESTART says whether the machine is started again');
  } else if (crash) {
    // Without the device libvirt hears nothing of a panic either.
    carry(draft, crash, '', 'has no effect without a device that tells of a panic');
  }
}
