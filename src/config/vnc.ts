import { resolve } from 'node:path';
import { nearest, quote } from '../base/text.ts';
import type { VncConfig } from './device-config.ts';
import { keySpec } from './keys.ts';
import { suggest } from './text/issues.ts';
import { parseOptionList, renderOptionList, type ValueContext } from './text/option-list.ts';
import { isHostName, isIpv4, isIpv6, parseBoolean, parseInteger } from './text/values.ts';

const LOCALHOST = '127.0.0.1';

/** RFC 6143 has no number for it; QEMU's displays count from TCP port 5900. */
const FIRST_PORT = 5900;
const LAST_DISPLAY = 65535 - FIRST_PORT;

/** Reads `VNC=`; undefined when it is wrong. Problems are reported. */
export function parseVnc(text: string, context: ValueContext): VncConfig | undefined {
  const { key, dir, report } = context;
  const whole = /^[ \t]*password[ \t]*=/.test(text) ? `on,${text}` : text;
  const list = parseOptionList(whole, keySpec('VNC').options ?? [], 'word', context);
  const password = list.get('password');
  const passwordFile = password === undefined ? undefined : resolve(dir, password);
  const head = list.head.trim();

  const isOn = parseBoolean(head);
  if (isOn === false) {
    if (passwordFile !== undefined) report(`${key} is off but has a password`);
    return { kind: 'off' };
  }
  if (isOn) return { kind: 'tcp', host: LOCALHOST, display: undefined, passwordFile };
  if (head.toLowerCase() === 'unix') return { kind: 'unix', passwordFile };

  const address = readAddress(head, context);
  if (!address) return undefined;
  if (!isLoopback(address.host) && passwordFile === undefined) {
    report(`${key} ${quote(head)} is reachable from other hosts and has no password`, {
      hint: `add ",password=FILE", or use ${LOCALHOST} and a tunnel`,
    });
  }
  return { kind: 'tcp', ...address, passwordFile };
}

/** Writes a VNC server as {@link parseVnc} reads it. */
export function renderVnc(vnc: VncConfig): string {
  if (vnc.kind === 'off') return 'off';
  return renderOptionList(vnc.kind === 'unix' ? 'unix' : renderAddress(vnc), [['password', vnc.passwordFile]]);
}

function readAddress(
  text: string,
  { key, report }: ValueContext,
): { readonly host: string; readonly display: number | undefined } | undefined {
  const split = splitAddress(text);
  if (!split) {
    report(`${key} must be on, off, unix, ADDRESS[:DISPLAY] or :DISPLAY, not ${quote(text)}`, {
      hint: hintFor(text),
    });
    return undefined;
  }
  if (split.digits === undefined) return { host: split.host, display: undefined };
  const display = parseInteger(split.digits);
  if (display !== undefined && display <= LAST_DISPLAY) {
    const hint = displayHint(display);
    if (hint !== undefined) {
      report(`${key} display ${display} is TCP port ${FIRST_PORT + display}`, { severity: 'warning', hint });
    }
    return { host: split.host, display };
  }
  report(`${key} display must be a number from 0 to ${LAST_DISPLAY}, not ${quote(split.digits)}`);
  return undefined;
}

function splitAddress(text: string): { readonly host: string; readonly digits: string | undefined } | undefined {
  // Without a display number an IPv6 address is clear without brackets.
  if (isIpv6(text)) return { host: text, digits: undefined };
  const [, bracketed, inside] = /^\[([^\]]*)\](?::(\d+))?$/.exec(text) ?? [];
  if (bracketed !== undefined) return isIpv6(bracketed) ? { host: bracketed, digits: inside } : undefined;
  const [, host, digits] = /^([^:]*)(?::(\d+))?$/.exec(text) ?? [];
  if (host === '' && digits !== undefined) return { host: LOCALHOST, digits };
  if (host === undefined) return undefined;
  const isHost = /^[\d.]*$/.test(host) ? isIpv4(host) : isHostName(host);
  return isHost ? { host, digits } : undefined;
}

/** For a number such as 5901, which is the port of display 1. */
function displayHint(number: number): string | undefined {
  if (number < FIRST_PORT || number > FIRST_PORT + 99) return undefined;
  return `port ${number} is display ${number - FIRST_PORT}; did you mean ":${number - FIRST_PORT}"?`;
}

function hintFor(text: string): string | undefined {
  if (/^\d+$/.test(text)) return displayHint(Number(text)) ?? suggest(`:${text}`);
  return text.includes(':')
    ? 'write an IPv6 address in brackets: [::1]:3'
    : suggest(nearest(text, ['on', 'off', 'unix']));
}

function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || (isIpv4(host) && host.startsWith('127.'));
}

function renderAddress({ host, display }: { readonly host: string; readonly display: number | undefined }): string {
  if (host === LOCALHOST && display === undefined) return 'on';
  const written = host.includes(':') ? `[${host}]` : host;
  return display === undefined ? written : `${written}:${display}`;
}
