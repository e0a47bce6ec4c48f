import { QemuError } from '../../../base/errors.ts';
import { ImportDraft } from '../draft.ts';
import type { ImportFiles } from '../files.ts';
import { setProcessors } from '../processors.ts';
import { readCpu, readFeatures } from './cpu.ts';
import { readDevices } from './devices.ts';
import { readLimits } from './limits.ts';
import { readMemory } from './memory.ts';
import { readOs } from './os.ts';
import { carry, change, lose, refuse, set, setChanged, sweep } from './sweep.ts';
import { readSystemInformation } from './sysinfo.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** Types of domains that QEMU runs. */
const TYPES = ['kvm', 'qemu', 'kqemu', 'hvf'];

/**
 * Reads the XML of a libvirt domain (https://libvirt.org/formatdomain.html), as `virsh dumpxml --inactive` prints it and
 * `/etc/libvirt/qemu` has it. Nothing is looked up in libvirt: pools, networks and secrets are only names here.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` with the line when it is not a domain of QEMU.
 */
export function readLibvirt(text: string, path: string, files: ImportFiles): ImportDraft {
  const root = domainOf(parseXml(text, path), path);
  const draft = new ImportDraft();
  readIdentity(draft, root);
  readMemory(draft, root);
  readProcessors(draft, root);
  readLimits(draft, root);
  readOs(draft, root, files);
  readCpu(draft, root);
  readFeatures(draft, root);
  readClock(draft, root);
  readEvents(draft, root);
  readSystemInformation(draft, root);
  readDevices(draft, root, files);
  readCommandLine(draft, root);
  loseRest(draft, root);
  sweep(draft, root);
  return draft;
}

/** `virsh snapshot-dumpxml`, saved states and some tools put the domain into another element. */
function domainOf(root: XmlElement, path: string): XmlElement {
  const domain =
    root.name === 'domain' ? root : (root.child('domain') ?? root.child('inactiveDomain')?.child('domain'));
  if (domain === undefined) {
    throw new QemuError('QEMU_CONFIG_INVALID', `${path}:${root.line}: <${root.name}> is not a libvirt domain`);
  }
  const type = domain.attribute('type') ?? 'kvm';
  if (!TYPES.includes(type)) {
    throw new QemuError('QEMU_CONFIG_INVALID', `${path}:${domain.line}: domain type "${type}" is not run by QEMU`);
  }
  return domain;
}

function readIdentity(draft: ImportDraft, root: XmlElement): void {
  const type = root.attribute('type') ?? 'kvm';
  const kvm = type === 'kvm' ? 'auto' : 'off';
  if (root.attributes.has('type')) set(draft, root, 'KVM', kvm);
  // The number of a running domain.
  root.ignore('id', 'xmlns:qemu', 'xmlns:lxc', 'xmlns:xen', 'xmlns:vmware');
  const name = root.child('name');
  const called = name?.ownText();
  if (name && called !== undefined) {
    draft.name = called;
    set(draft, name, 'NAME', called);
  }
  const uuid = root.child('uuid');
  if (uuid?.ownText() !== undefined) set(draft, uuid, 'UUID', uuid.ownText()?.toLowerCase() ?? '');
  const genid = root.child('genid');
  if (genid) set(draft, genid, 'VMGENID', genid.ownText()?.toLowerCase() ?? 'on');
  const texts = ['title', 'description'].flatMap((each) => root.child(each) ?? []);
  const description = texts.map((each) => (each.ownText() ?? '').replaceAll(/\s+/g, ' ')).filter((each) => each !== '');
  if (description.length > 0) draft.settings.set('DESC', description.join(': '));
  for (const each of texts) carry(draft, each, 'DESC', each.ownText());
  readMetadata(draft, root.child('metadata'));
}

/** libosinfo names the system by an address such as `http://debian.org/debian/12`. */
function readMetadata(draft: ImportDraft, metadata: XmlElement | undefined): void {
  const os = metadata?.children.find(({ name }) => name.endsWith(':libosinfo'))?.children[0];
  const words = os?.attribute('id')?.split('/').slice(-2) ?? [];
  const label = words.join('').replaceAll(/[^\w.-]/g, '');
  if (os && label !== '') setChanged(draft, os, 'OS', label, 'the last words of the address');
}

function readProcessors(draft: ImportDraft, root: XmlElement): void {
  const vcpu = root.child('vcpu');
  const most = vcpu?.ownText();
  const topology = root.child('cpu')?.child('topology');
  const current = vcpu?.attribute('current');
  vcpu?.ignoreUsual({ placement: 'static' });
  const words = [...(most === undefined ? [] : [current ?? most])];
  if (current !== undefined && most !== undefined && current !== most) words.push(`maxcpus=${most}`);
  const sizes = ['sockets', 'dies', 'clusters', 'cores', 'threads'].flatMap((name) => {
    const value = topology?.attribute(name);
    // One of them is the default, and not every QEMU knows "clusters".
    return value === undefined || ((name === 'dies' || name === 'clusters') && value === '1')
      ? []
      : [`${name}=${value}`];
  });
  if (words.length === 0 && sizes.length === 0) return;
  if (words.length === 0) words.push(String(productOf(sizes)));
  const smp = setProcessors(draft, [...words, ...sizes].join(','));
  if (vcpu) carry(draft, vcpu, 'SMP', smp);
  if (topology) carry(draft, topology, 'SMP', smp);
}

function productOf(sizes: readonly string[]): number {
  return sizes.reduce((product, size) => product * Number(size.split('=')[1] ?? '1'), 1);
}

function readClock(draft: ImportDraft, root: XmlElement): void {
  const clock = root.child('clock');
  const offset = clock?.attribute('offset') ?? 'utc';
  const isLocal = offset === 'localtime' || (offset === 'variable' && clock?.attribute('basis') === 'localtime');
  const timers = new Map(clock?.all('timer').map((timer) => [timer.attribute('name') ?? '', timer]));
  const rtc = timers.get('rtc');
  const slew = rtc?.attribute('tickpolicy') === 'catchup';
  const value = `${isLocal ? 'localtime' : 'utc'}${slew ? ',driftfix=slew' : ''}`;
  if (!clock) {
    draft.assume('RTC', 'utc');
    return;
  }
  if (offset === 'utc' || offset === 'localtime') set(draft, clock, 'RTC', value);
  else {
    clock.ignore('basis');
    setChanged(draft, clock, 'RTC', value, `the clock begins with ${isLocal ? 'local time' : 'UTC'}, not "${offset}"`);
  }
  if (rtc) {
    if (slew || rtc.attribute('tickpolicy') === undefined) carry(draft, rtc, 'RTC');
    else lose(rtc, 'ticks that a guest missed are either dropped or caught up with');
  }
  readTimers(draft, timers);
}

function readTimers(draft: ImportDraft, timers: ReadonlyMap<string, XmlElement>): void {
  const hpet = timers.get('hpet');
  if (hpet) set(draft, hpet, 'HPET', hpet.attribute('present') === 'no' ? 'off' : 'on');
  const pit = timers.get('pit');
  const policy = pit?.attribute('tickpolicy');
  if (pit && (policy === 'delay' || policy === 'discard')) set(draft, pit, 'PIT', policy);
  for (const [name, timer] of timers) {
    if (!TIMERS.includes(name) && timer.attribute('present') !== 'yes') lose(timer, 'is as the processor has it');
  }
  for (const [name, flag] of Object.entries({ hypervclock: 'hv-time', kvmclock: 'kvmclock' })) {
    const timer = timers.get(name);
    if (timer) addFlag(draft, timer, flag, timer.attribute('present') !== 'no');
  }
}

const TIMERS: readonly string[] = ['rtc', 'hpet', 'pit', 'hypervclock', 'kvmclock'];

/** Adds a feature to CPU, which {@link readCpu} has set before. */
function addFlag(draft: ImportDraft, element: XmlElement, flag: string, on: boolean): void {
  const cpu = draft.settings.get('CPU');
  if (cpu === undefined || cpu === 'auto') {
    // What QEMU does by itself needs no mention.
    if (on !== flag.startsWith('hv-')) carry(draft, element, 'CPU');
    else lose(element, 'needs a CPU model');
    return;
  }
  const value = `${cpu},${flag}=${on ? 'on' : 'off'}`;
  draft.settings.set('CPU', value);
  carry(draft, element, 'CPU', value);
}

function readEvents(draft: ImportDraft, root: XmlElement): void {
  const poweroff = root.child('on_poweroff');
  if (poweroff?.ownText() === 'destroy') carry(draft, poweroff, '', 'QEMU ends when the guest powers off');
  else if (poweroff) lose(poweroff, 'QEMU ends when the guest powers off');
  const reboot = root.child('on_reboot');
  if (reboot?.ownText() === 'restart') carry(draft, reboot, '', 'the machine goes on');
  else if (reboot?.ownText() === 'destroy') {
    reboot.isNoted = true;
    draft.addCustom(reboot, ['-no-reboot'], 'QEMU ends instead of a reboot');
  }
  const suspend = root.child('pm');
  for (const [name, key] of [
    ['suspend-to-mem', 'S3'],
    ['suspend-to-disk', 'S4'],
  ] as const) {
    const each = suspend?.child(name);
    if (each) set(draft, each, key, each.attribute('enabled') === 'no' ? 'off' : 'on');
  }
}

/** Raw options for QEMU, an extension of libvirt with a name space of its own. */
function readCommandLine(draft: ImportDraft, root: XmlElement): void {
  const commandLine = root.children.find(({ name }) => name === 'qemu:commandline' || name === 'commandline');
  if (commandLine === undefined) return;
  const words: { element: XmlElement; value: string }[] = [];
  for (const element of commandLine.children) {
    const value = element.attribute('value');
    if (element.name.endsWith('arg') && value !== undefined) words.push({ element, value });
    else lose(element, 'environment variables cannot be set for QEMU');
  }
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (!word) break;
    const next = words[at + 1];
    const line = [word.value, ...(next && !next.value.startsWith('-') ? [next.value] : [])];
    word.element.isNoted = true;
    draft.addCustom(word.element, line, 'an option of QEMU that comes last; its ids must not be those of qemu-init');
    if (line.length > 1 && next) {
      change(draft, next.element, '[custom]', next.value, 'belongs to the option before it');
      at += 1;
    }
  }
}

/** Why parts of a domain are lost. */
const REASONS: Readonly<Record<string, string>> = {
  numatune: 'without nodes in the guest, nodes of the host are not chosen',
  iothreads: 'a disk with iothread=on has a separate thread',
  blkiotune: 'machines have no weights; see LIMIT_IO, and rate= of a disk',
  defaultiothread: 'threads of QEMU are scheduled like all others',
  resource: 'the unit of systemd has its place',
  seclabel: 'labels are not set',
  idmap: 'is for containers',
  perf: 'counters of the host are not switched on',
  keywrap: 'keys of the host are not wrapped',
  bootloader: 'is for Xen',
  'qemu:capabilities': 'is for tests of libvirt',
  'qemu:override': 'devices are overridden in [custom]',
};

function loseRest(draft: ImportDraft, root: XmlElement): void {
  for (const each of root.children) {
    const reason = REASONS[each.name];
    if (each.name === 'launchSecurity' || each.name === 'launch-security')
      refuse(draft, each, 'encrypted memory is not set up');
    else if (reason !== undefined && (each.name !== 'numatune' || !root.child('cpu')?.child('numa')))
      lose(each, reason);
  }
}
