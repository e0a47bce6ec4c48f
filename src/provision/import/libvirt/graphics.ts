import type { ImportDraft } from '../draft.ts';
import { carry, change, lose, set, setChanged } from './sweep.ts';
import type { XmlElement } from './xml.ts';

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost'];

/** First port of VNC displays (RFC 6143 gives 5900 to display 0). */
const VNC_PORT = 5900;

/** Screens and their viewers. */
export function readGraphics(draft: ImportDraft, devices: XmlElement): void {
  for (const graphics of devices.all('graphics')) {
    const type = graphics.attribute('type');
    if (type === 'vnc') readVnc(draft, graphics);
    else if (type === 'spice') readSpice(draft, graphics);
    else lose(graphics, `viewers of type "${type ?? ''}" are not opened by a service`);
  }
  const [first, ...others] = devices.all('video');
  if (first) readVideo(draft, first);
  for (const other of others) lose(other, 'a machine has one screen; more can be given in [custom]');
}

function readVnc(draft: ImportDraft, graphics: XmlElement): void {
  graphics.ignore('autoport');
  graphics.ignoreUsual({ sharePolicy: 'allow-exclusive ignore', websocket: '-1' });
  const listen = graphics.child('listen');
  const socket = graphics.attribute('socket') ?? listen?.attribute('socket');
  const address = graphics.attribute('listen') ?? listen?.attribute('address') ?? '127.0.0.1';
  const port = Number(graphics.attribute('port') ?? '-1');
  const keymap = graphics.attribute('keymap');
  if (keymap !== undefined) draft.settings.set('KEYMAP', keymap);
  const password = graphics.attribute('passwd');
  const isLoopback = LOOPBACK.includes(address);
  const isFixed = port >= VNC_PORT && graphics.attributes.get('autoport') !== 'yes';
  const display = isFixed ? `:${port - VNC_PORT}` : '';
  const value =
    socket !== undefined || listen?.attribute('type') === 'socket' ? 'unix' : isFixed ? `127.0.0.1${display}` : 'on';
  if (listen) readListen(draft, listen, value);
  if (value === 'unix')
    setChanged(draft, graphics, 'VNC', value, 'the socket is in the run-time folder: qemu-init vnc');
  else if (isLoopback && password === undefined) {
    const host = address === 'localhost' ? '127.0.0.1' : address;
    set(
      draft,
      graphics,
      'VNC',
      isFixed ? `${host.includes(':') ? `[${host}]` : host}${display}` : host === '127.0.0.1' ? 'on' : host,
    );
  } else if (password !== undefined) {
    setChanged(
      draft,
      graphics,
      'VNC',
      value,
      'on this host only, until its password is in a file: VNC=ADDRESS,password=FILE',
    );
  } else setChanged(draft, graphics, 'VNC', value, 'on this host only: other addresses need a password or TLS');
}

/** What the graphics say of its address counts for both. */
function readListen(draft: ImportDraft, listen: XmlElement, value: string): void {
  listen.ignore('type', 'address');
  if (listen.attribute('socket') === undefined) carry(draft, listen, 'VNC', value);
  else change(draft, listen, 'VNC', value, 'the socket has another path');
}

function readSpice(draft: ImportDraft, graphics: XmlElement): void {
  graphics.ignore(
    'port',
    'tlsPort',
    'autoport',
    'listen',
    'keymap',
    'passwd',
    'connected',
    'defaultMode',
    'passwdValidTo',
  );
  setChanged(draft, graphics, 'SPICE', 'on', 'on a socket in the run-time folder: qemu-init vnc');
  for (const child of graphics.children) {
    if (child.name === 'listen') {
      child.ignore('type');
      change(draft, child, 'SPICE', undefined, 'SPICE is reached on its socket alone');
    } else lose(child, 'SPICE is used with its defaults');
  }
}

/** Models of `<video>` as VGA has them. */
const CARDS: Readonly<Record<string, string>> = {
  vga: 'std',
  cirrus: 'cirrus',
  vmvga: 'vmware',
  qxl: 'qxl',
  virtio: 'virtio',
  bochs: 'bochs',
  ramfb: 'ramfb',
  none: 'none',
};

/** In KiB, as QEMU and libvirt have it unless it is said otherwise. */
const USUAL_MEMORY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  qxl: { ram: '65536', vram: '65536' },
  vga: { vram: '16384' },
  bochs: { vram: '16384' },
  cirrus: { vram: '16384 9216' },
  vmvga: { vram: '16384 9216' },
  virtio: { vram: '16384 9216' },
};

function readVideo(draft: ImportDraft, video: XmlElement): void {
  const model = video.child('model');
  const type = model?.attribute('type') ?? 'cirrus';
  const card = CARDS[type];
  model?.ignoreUsual({ heads: '1', primary: 'yes', blob: 'off', vgamem: '16384', vram64: '0', ...USUAL_MEMORY[type] });
  if (!model) return;
  if (card === undefined) setChanged(draft, model, 'VGA', 'std', `there is no card "${type}"`);
  else set(draft, model, 'VGA', card);
  for (const child of model.children) lose(child, 'has no counterpart');
}
