import type { ImportDraft } from '../draft.ts';
import { carry, lose, set, setChanged } from './sweep.ts';
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
  graphics.ignore('autoport', 'sharePolicy', 'passwdValidTo', 'connected', 'websocket');
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
  if (listen) carry(draft, listen, 'VNC', value);
  listen?.ignore('network', 'type');
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
      child.ignore('type', 'address', 'network', 'socket');
      carry(draft, child, 'SPICE');
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

function readVideo(draft: ImportDraft, video: XmlElement): void {
  const model = video.child('model');
  const type = model?.attribute('type') ?? 'cirrus';
  const card = CARDS[type];
  model?.ignore('vram', 'ram', 'vgamem', 'vram64', 'heads', 'primary', 'blob');
  if (!model) return;
  if (card === undefined) setChanged(draft, model, 'VGA', 'std', `there is no card "${type}"`);
  else set(draft, model, 'VGA', card);
  for (const child of model.children) lose(child, 'has no counterpart');
}
