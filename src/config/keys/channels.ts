import type { KeySpec, OptionSpec } from './key-spec.ts';
import { KEYMAP_VALUES, SWITCH_VALUES, VGA_VALUES } from './values.ts';

const CHANNELS = 'Display and channels';

const VNC_OPTIONS = [
  {
    name: 'password',
    type: 'text',
    default: '',
    doc: 'file with the password (at most 8 characters) in its first line, not readable by other users',
  },
] as const satisfies readonly OptionSpec[];

/** Keys of the group 'Display and channels', in the order of the template. */
export const CHANNELS_KEYS = [
  {
    name: 'VNC',
    group: CHANNELS,
    type: 'vnc',
    default: 'on',
    values: ['on', 'off', 'unix'],
    options: VNC_OPTIONS,
    otherNames: ['DISPLAY', 'VNC_LISTEN'],
    doc: 'on, off, unix, ADDRESS[:DISPLAY], :DISPLAY; then ,password=FILE',
    details: [
      'Default: address 127.0.0.1 and the display number of the slot. Write an IPv6 address in ' +
        'brackets: [::1]:3. An address that other hosts can reach needs a password.',
    ],
  },
  {
    name: 'VGA',
    group: CHANNELS,
    type: 'choice',
    default: 'std',
    values: VGA_VALUES,
    doc: 'graphics card',
  },
  {
    name: 'SPICE',
    group: CHANNELS,
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'SPICE server on a socket, with a channel for the agent that shares clipboard and screen size',
  },
  {
    name: 'KEYMAP',
    group: CHANNELS,
    type: 'keymap',
    default: '',
    values: KEYMAP_VALUES,
    example: 'de',
    otherNames: ['KEYBOARD', 'KEYBOARD_LAYOUT', 'LAYOUT'],
    isRare: true,
    doc: 'keyboard layout for VNC viewers that send characters instead of keys; default: en-us',
    details: [`One of ${KEYMAP_VALUES.join(', ')}.`],
  },
  {
    name: 'SERIAL',
    group: CHANNELS,
    type: 'switch',
    default: 'on',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'first serial port, for "qemu-init console", with a log from the first byte',
  },
  {
    name: 'QGA',
    group: CHANNELS,
    type: 'switch',
    default: 'on',
    values: SWITCH_VALUES,
    otherNames: ['AGENT', 'GUEST_AGENT'],
    isRare: true,
    doc: 'channel for the QEMU guest agent',
  },
] as const satisfies readonly KeySpec[];
