import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { CdromConfig, DiskConfig, HostForward, NicConfig, VncConfig } from '../../../src/config/device-config.ts';
import {
  AUDIO_BACKENDS,
  BOOT_VALUES,
  DISK_INTERFACES,
  DRIFTFIX_VALUES,
  IMAGE_FORMATS,
  KEYMAP_VALUES,
  KVM_VALUES,
  NETIF_VALUES,
  RTC_VALUES,
  STOP_METHODS,
  VGA_VALUES,
} from '../../../src/config/keys/values.ts';
import { parseMachineConfig } from '../../../src/config/machine-config.ts';
import { renderMachineConfig } from '../../../src/config/render-machine.ts';
import type { MachineConfig, SmbiosTable } from '../../../src/config/types.ts';
import { MACHINE_PATH, parseGood, withoutOrigins } from './support.ts';

/** Text that can stand on a line. */
const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll(/\p{Cc}/gu, ''));
const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/);
const uuid = fc.uuid();
const mac = fc.stringMatching(/^[0-9a-fA-F][2468aceACE](:[0-9a-fA-F]{2}){5}$/);
const port = fc.integer({ min: 1, max: 65535 });
const onOff = fc.boolean();

/** An absolute path of any name that a file can have on a line. */
const path = fc.array(text, { minLength: 1, maxLength: 3 }).map((parts) => {
  const names = parts.map((part) => part.replaceAll('/', '')).filter((part) => !['', '.', '..'].includes(part));
  return `/${['srv', ...names].join('/')}`;
});

/** A record with the prototype of all objects, as the parser makes them. */
function plain<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true });
}

function maybe<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}

/** A path in an option: blanks at its ends are not kept there. */
const trimmedPath = path.map((value) => value.trim());

const disk: fc.Arbitrary<DiskConfig> = fc
  .record({
    index: fc.constant(0),
    file: path,
    format: maybe(fc.constantFrom(...IMAGE_FORMATS)),
    interface: fc.constantFrom(...DISK_INTERFACES),
    cache: maybe(fc.constantFrom('none', 'directsync', 'writeback', 'writethrough', 'unsafe')),
    aio: maybe(fc.constantFrom('threads', 'io_uring', 'native')),
    detectZeroes: maybe(fc.constantFrom('on', 'off')),
    ssd: onOff,
    ioThread: onOff,
    queues: maybe(fc.integer({ min: 1, max: 256 })),
    bootIndex: fc.constant(undefined),
    discard: maybe(fc.constantFrom('ignore', 'unmap')),
    readonly: onOff,
    snapshot: onOff,
    serial: maybe(fc.stringMatching(/^[!-~]([ -~]{0,18}[!-~])?$/)),
    key: maybe(trimmedPath),
    backing: fc.array(fc.constantFrom('nbd://10.0.0.1/base,x', 'json:{"driver":"nbd"}'), { maxLength: 2 }),
  })
  .filter(({ aio, cache }) => aio !== 'native' || cache === 'none' || cache === 'directsync')
  .filter(({ key, format }) => key === undefined || format === undefined || format === 'luks' || format === 'qcow2')
  .map((made) => (made.interface === 'virtio' ? made : { ...made, ioThread: false, queues: undefined }))
  .map((made) => (/virtio|nvme/.test(made.interface) ? { ...made, ssd: false } : made))
  .filter((made) => !made.readonly || (made.interface !== 'ide' && made.interface !== 'sata'));

const cdrom: fc.Arbitrary<CdromConfig> = plain({
  index: fc.constant(0),
  file: maybe(path),
  optional: onOff,
  bootIndex: fc.constant(undefined),
});

const forward: fc.Arbitrary<HostForward> = plain({
  protocol: fc.constantFrom('tcp', 'udp'),
  hostAddress: fc.oneof(fc.constant(''), fc.ipV4()),
  hostPort: port,
  guestAddress: fc.oneof(fc.constant(''), fc.ipV4()),
  guestPort: port,
});

const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4().map((ip) => `${ip}/24`),
);

/** What a card without a tap has not. */
const NO_TAP = { bridge: '', vlan: undefined, queues: undefined, isolated: false, lock: false };

const nic: fc.Arbitrary<NicConfig> = fc
  .record({
    model: fc.oneof(
      fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/).filter((model) => model !== 'virtio'),
      fc.constant('virtio-net-pci'),
    ),
    net: fc.constantFrom('bridge', 'user', 'none'),
    bridge: fc.stringMatching(/^[A-Za-z0-9_.,=-]{1,15}$/).filter((bridge) => !/^(\.{1,2}$|-)/.test(bridge)),
    mac: maybe(mac),
    hostForwards: fc.uniqueArray(forward, { selector: ({ hostPort }) => hostPort, maxLength: 3 }),
    vlan: maybe(fc.integer({ min: 1, max: 4094 })),
    queues: maybe(fc.integer({ min: 1, max: 256 })),
    mtu: maybe(fc.integer({ min: 68, max: 65535 })),
    isolated: onOff,
    lock: onOff,
    addresses: fc.array(address, { maxLength: 3 }),
    bootIndex: fc.constant(undefined),
  })
  .map((card) => ({ ...card, index: 0, hostForwards: card.net === 'user' ? card.hostForwards : [] }))
  .map((card) => (card.model.startsWith('virtio-net') ? card : { ...card, queues: undefined }))
  .map((card) => (card.net === 'bridge' ? card : { ...card, ...NO_TAP }))
  .map((card) => ({ ...card, hasOwnBridge: card.net === 'bridge' }))
  .map((card) => ({ ...card, addresses: card.lock ? card.addresses : [] }));

const vnc: fc.Arbitrary<VncConfig> = fc.oneof(
  fc.constant({ kind: 'off' as const }),
  plain({ kind: fc.constant('unix' as const), passwordFile: maybe(trimmedPath) }),
  plain({
    kind: fc.constant('tcp' as const),
    host: fc.constantFrom('127.0.0.1', '::1', 'localhost'),
    display: maybe(fc.integer({ min: 0, max: 59635 })),
    passwordFile: maybe(trimmedPath),
  }),
  plain({
    kind: fc.constant('tcp' as const),
    host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('host.example')),
    display: maybe(fc.integer({ min: 0, max: 59635 })),
    passwordFile: trimmedPath,
  }),
);

const program = fc.oneof(path, fc.stringMatching(/^[A-Za-z0-9_.-]{1,10}$/));
const command = fc.oneof(
  fc.constant([]),
  fc.tuple(program, fc.array(text)).map(([first, rest]) => [first, ...rest]),
);

/** Blanks at the ends of an option's value are not kept. */
const oemString = text
  .map((value) => value.trim())
  .filter((value) => value !== '')
  .map((value) => ['value', value] as const);

/** The first disk, drive and card have places in the boot order, when there is an odd number of disks. */
function withBootIndexes(config: MachineConfig): Pick<MachineConfig, 'cdroms' | 'disks' | 'nics'> {
  const { disks, cdroms, nics } = config;
  if (disks.length % 2 === 0) return { disks, cdroms, nics };
  const place = <T>(members: readonly T[], bootIndex: number): T[] =>
    members.map((member, at) => (at === 0 ? { ...member, bootIndex } : member));
  return { disks: place(disks, 30), cdroms: place(cdroms, 10), nics: place(nics, 20) };
}

function numbered<T>(members: readonly T[]): T[] {
  return members.map((member, position) => ({ ...member, index: position + 1 }));
}

/** Any machine without what is not done yet. */
const machine: fc.Arbitrary<MachineConfig> = fc
  .record({
    name,
    os: text,
    description: text,
    targetArch: fc.oneof(path, fc.constant('qemu-system-x86_64')),
    machine: fc.constantFrom('q35', 'pc', 'pc-q35-7.2', 'q35,smm=off'),
    cpu: maybe(fc.constantFrom('max', 'qemu64,+aes,-x2apic')),
    smp: fc.constantFrom('1', '4', 'cpus=4,sockets=1,cores=2,threads=2'),
    memoryBytes: fc.integer({ min: 1024, max: 2 ** 34 }).map((kib) => kib * 1024),
    kvm: fc.constantFrom(...KVM_VALUES),
    uuid,
    firmware: fc.oneof(path, fc.constantFrom('bios', 'uefi', 'uefi-secure')),
    kernel: path,
    initrd: maybe(path),
    append: text,
    boot: maybe(fc.uniqueArray(fc.constantFrom(...BOOT_VALUES), { minLength: 1 })),
    disks: fc.uniqueArray(disk, { selector: ({ file }) => file, maxLength: 4 }).map(numbered),
    cdroms: fc.array(cdrom, { maxLength: 4 }).map(numbered),
    nics: fc.uniqueArray(nic, { selector: (card) => card.mac?.toLowerCase(), maxLength: 4 }).map(numbered),
    netif: fc.constantFrom(...NETIF_VALUES),
    runAs: maybe(fc.constantFrom('qemu', '1000')),
    sandbox: onOff,
    vnc,
    vga: fc.constantFrom(...VGA_VALUES),
    serial: onOff,
    agent: onOff,
    rng: onOff,
    balloon: onOff,
    usbInput: onOff,
    spice: onOff,
    hpet: onOff,
    pit: fc.constantFrom('delay', 'discard'),
    s3: onOff,
    s4: onOff,
    vmGenerationId: maybe(fc.oneof(fc.constant('on'), uuid)),
    hotplug: fc.integer({ min: 0, max: 24 }),
    keymap: maybe(fc.constantFrom(...KEYMAP_VALUES)),
    rtc: plain({ base: fc.constantFrom(...RTC_VALUES), driftFix: fc.constantFrom(...DRIFTFIX_VALUES) }),
    sound: maybe(
      plain({
        card: fc.constantFrom('hda', 'ac97', 'es1370', 'usb', 'virtio'),
        backend: fc.constantFrom(...AUDIO_BACKENDS),
      }),
    ),
    smbios: fc
      .array(
        plain<SmbiosTable>({
          index: fc.constant(0),
          table: fc.constant('oem'),
          fields: fc.array(oemString, { minLength: 1, maxLength: 3 }),
        }),
        {
          maxLength: 3,
        },
      )
      .map(numbered),
    autostart: onOff,
    bootOrder: fc.integer({ min: 0, max: 9999 }),
    bootDelaySeconds: fc.integer({ min: 0, max: 86400 }),
    stopDelaySeconds: fc.integer({ min: 0, max: 86400 }),
    stopMethod: fc.constantFrom(...STOP_METHODS),
    preCommand: command,
    postCommand: command,
    preStop: command,
    postStop: command,
    custom: fc.array(fc.array(text).map((rest) => ({ args: ['-x', ...rest], origin: { file: '', line: 0 } }))),
  })
  .map((fields) => ({ ...parseGood(''), ...fields }))
  .map((config) => (config.netif === 'managed' ? config : { ...config, runAs: undefined, sandbox: false }))
  .map((config) => (config.sound?.backend === 'spice' ? { ...config, spice: true } : config))
  // A place in the boot order is that of one device.
  .map((config) => ({ ...config, ...withBootIndexes(config) }))
  // A port can be forwarded once, whatever card it is on.
  .filter(({ nics }) => {
    const ports = nics.flatMap(({ hostForwards }) => hostForwards.map(({ hostPort }) => hostPort));
    return new Set(ports).size === ports.length;
  });

suite('renderMachineConfig()', () => {
  test('a machine with the defaults is an empty file', () => {
    assert.equal(renderMachineConfig(parseGood('')), '');
  });

  test('writes what is not at its default, in the order of the table', () => {
    const written =
      'DESC="a \\"b\\" # c"\nRAM=1536M\nDSK1="/d,,e.img,if=scsi"\nVNC="[::1]:3"\n\n[custom]\n-x \'a b\'\n';
    assert.equal(renderMachineConfig(parseGood(written)), written);
  });

  test('writes what the file states, also where it is the default, so that the defaults of a host change nothing', () => {
    const stated =
      'NAME=web\nTGTARCH=qemu-system-x86_64\nMACHINE=q35\nCPU=auto\nSMP=1\nRAM=2G\nKVM=auto\nBOOT=disk,cdrom,network\n' +
      'NIC1="virtio-net-pci,bridge=br0"\nNIC2="e1000"\nVNC=on\nVGA=std\nSTOPDELAY=60\nRESTART=no\n';
    assert.equal(renderMachineConfig(parseGood(stated)), stated);
    assert.equal(
      renderMachineConfig(parseGood('BRIDGE_IFNAME=br0\nNIC1=e1000\n')),
      'NIC1="e1000"\nBRIDGE_IFNAME=br0\n',
    );
    assert.equal(renderMachineConfig(parseGood('RAM=\n', 'RAM=1G\n'), ['RAM', 'NIC1']), 'RAM=\nNIC1=\n');
  });

  test('every machine reads back equal', () => {
    fc.assert(
      fc.property(machine, (config) => {
        const { config: again, issues } = parseMachineConfig(renderMachineConfig(config), { path: MACHINE_PATH });
        assert.deepEqual(
          issues.filter(({ severity }) => severity === 'error'),
          [],
        );
        assert.deepEqual(withoutOrigins(again), withoutOrigins(config));
      }),
      { numRuns: 300 },
    );
  });

  test('what has been rendered renders the same again', () => {
    fc.assert(
      fc.property(machine, (config) => {
        const written = renderMachineConfig(config);
        const { config: again } = parseMachineConfig(written, { path: MACHINE_PATH });
        assert.ok(again);
        assert.equal(renderMachineConfig(again), written);
      }),
    );
  });
});
