import type { ImportDraft } from '../draft.ts';
import { carry, change, lose, set, setChanged } from './sweep.ts';
import type { XmlElement } from './xml.ts';

/** Serial ports, consoles and channels. */
export function readChannels(draft: ImportDraft, devices: XmlElement): void {
  const [first, ...others] = devices.all('serial');
  if (first) {
    settle(draft, first);
    if (first.attribute('type') === 'pty') set(draft, first, 'SERIAL', 'on');
    else setChanged(draft, first, 'SERIAL', 'on', 'a socket with a log: qemu-init console');
  }
  for (const other of others) lose(other, 'a machine has one serial port; more can be given in [custom]');
  for (const console of devices.all('console')) {
    const target = console.child('target');
    const type = target?.attribute('type') ?? 'serial';
    target?.ignore('port');
    if (type === 'serial') {
      // libvirt shows the first serial port once more as the console.
      settle(draft, console);
      set(draft, console, 'SERIAL', 'on');
      console.ignore('tty', 'type');
    } else lose(console, `there are no consoles on "${type}"`);
  }
  for (const channel of devices.all('channel')) readChannel(draft, channel);
}

function readChannel(draft: ImportDraft, channel: XmlElement): void {
  const name = channel.child('target')?.attribute('name');
  if (name === 'org.qemu.guest_agent.0') {
    settle(draft, channel);
    set(draft, channel, 'QGA', 'on');
  } else if (name === 'com.redhat.spice.0') {
    settle(draft, channel);
    change(draft, channel, 'SPICE', undefined, 'is there with SPICE=on');
  } else lose(channel, 'channels of other programs can only be given in [custom]');
}

/** The sockets and ports of the host side are made by qemu-init. */
function settle(draft: ImportDraft, element: XmlElement): void {
  element.ignore('type');
  for (const child of element.children) {
    if (child.name === 'target') {
      child.ignore('name', 'state');
      child.ignoreUsual({ type: 'isa-serial system-serial virtio serial', port: '0' });
      carry(draft, child, '');
      for (const part of child.children) lose(part, 'the model is that of the board');
    } else if (child.name === 'source' || child.name === 'protocol' || child.name === 'log') {
      lose(child, 'the host side is made by qemu-init');
    }
  }
}
