import { hugePagesAt } from './memory.ts';
import { others, property } from './options.ts';
import type { CommandSource } from './source.ts';

/** Options that QEMU had, or still has for one thing that is a key here. */
export function readOldOptions(source: CommandSource): void {
  readSoundCard(source);
  readAudio(source);
  readBalloon(source);
  readHugePages(source);
  readRedirections(source);
}

const CARDS = ['hda', 'ac97', 'es1370'];

function readSoundCard(source: CommandSource): void {
  for (const option of source.unused('soundhw')) {
    if (option.value === undefined || source.draft.settings.has('SOUND')) continue;
    const card = option.value.split(',').find((each) => CARDS.includes(each));
    if (card === option.value) source.draft.set(source.use(option), 'SOUND', card);
    else if (card !== undefined) source.draft.setChanged(source.use(option), 'SOUND', card, 'machines have one card');
  }
}

/** `-audio pa,model=hda`: a card and what plays its sound. */
function readAudio(source: CommandSource): void {
  for (const option of source.unused('audio')) {
    const model = property(option, 'model');
    const backend = property(option, 'driver') ?? property(option, 'type');
    const isPlain = others(option, 'model', 'driver', 'type').length === 0;
    if (model === undefined || !CARDS.includes(model) || !isPlain || source.draft.settings.has('SOUND')) continue;
    source.draft.set(source.use(option), 'SOUND', backend === undefined ? model : `${model},backend=${backend}`);
  }
}

function readBalloon(source: CommandSource): void {
  for (const option of source.unused('balloon')) {
    const isOn = option.value?.startsWith('virtio') === true;
    source.draft.set(source.use(option), 'BALLOON', isOn ? 'on' : 'off');
  }
}

function readHugePages(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused('mem-path')) {
    const size = hugePagesAt(option.value ?? '');
    if (size === undefined) continue;
    draft.set(source.use(option), 'HUGEPAGES', size);
    for (const each of source.unused('mem-prealloc')) draft.carry(source.use(each), 'HUGEPAGES', size);
  }
}

/** `-redir tcp:2222::22`, which is hostfwd today. */
function readRedirections(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused('redir')) {
    const [, kind, port, guest = '', guestPort] = /^(tcp|udp):(\d+):([\d.]*):(\d+)$/.exec(option.value ?? '') ?? [];
    const nic = draft.devices.NIC.find(({ options }) =>
      options.some(([name, value]) => name === 'net' && value === 'user'),
    );
    if (kind === undefined || nic === undefined) continue;
    nic.options.push(['hostfwd', `${kind}::${port}-${guest}:${guestPort}`]);
    draft.carry(source.use(option), nic, `hostfwd=${kind}::${port}-${guest}:${guestPort}`);
  }
}
