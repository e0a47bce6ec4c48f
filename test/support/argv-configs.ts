import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { parseMachineConfig } from '../../src/config/machine-config.ts';
import type { MachineConfig } from '../../src/config/types.ts';
import { type Allocation, NO_SLOT } from '../../src/machine/allocation.ts';
import { netdevArguments, nicDeviceProperties } from '../../src/machine/argv/netdev.ts';
import type { ArgvRequest, FirmwareFiles } from '../../src/machine/argv/request.ts';
import { machinePaths, resolvePaths } from '../../src/system/paths.ts';

/** A configuration whose command line is kept in a golden file, and started for real. */
export interface ArgvConfig {
  /** Name of the golden file. */
  readonly title: string;
  /** The lines of the cfg file. */
  readonly text: string;
  /** The QEMU of Debian 12 does not have what is in it. */
  readonly isNewer?: true;
  /** What else the command line depends on, where it differs from {@link argvRequest}'s own. */
  readonly request?: Partial<ArgvRequest>;
}

/** The folder that the cfg files are in. */
export const ARGV_DIR = '/etc/qemu';

const PORTS: Allocation = { slot: 3, monitorPort: 30323, controlPort: 30423, vncDisplay: 3 };

const lines = (...each: readonly string[]): string => each.map((line) => `${line}\n`).join('');

const numbered = (stem: string, count: number, value: (x: number) => string): string =>
  lines(...Array.from({ length: count }, (_, at) => `${stem}${at + 1}=${value(at + 1)}`));

const uefi = (secureBoot: boolean): FirmwareFiles => ({
  code: `${ARGV_DIR}/code.fd`,
  codeFormat: 'raw',
  variables: `${ARGV_DIR}/vars.fd`,
  variablesFormat: 'raw',
  secureBoot,
});

const BARE = lines('VNC=off', 'VGA=none', 'SERIAL=off', 'QGA=off', 'RNG=off', 'BALLOON=off');

/** One of each kind of machine. */
export const ARGV_CONFIGS: readonly ArgvConfig[] = [
  { title: 'defaults', text: '' },
  { title: 'bare', text: `RAM=16M\n${BARE}` },
  {
    title: 'q35-disks',
    text: lines(
      'DSK1=a.img,cache=none,aio=native,discard=unmap',
      'DSK2=b.qcow2,if=sata,serial=B-2',
      'DSK3=c.img,if=scsi,serial=C 3',
      'DSK4=d.img,if=nvme',
      'DSK5=e.img,if=nvme,serial=E5,readonly=on',
      'DSK6=f.img,if=ide,snapshot=on',
      'DSK7=g.img,if=sata',
      'DSK8=h.img,if=scsi,readonly=on',
      'DSK9=i.img',
      'DSK10=j.img',
    ),
  },
  {
    title: 'pc-disks',
    text: lines(
      'MACHINE=pc',
      'DSK1=a.img,if=ide',
      'DSK2=b.img,if=ide,snapshot=on',
      'DSK3=c.img,if=ide',
      'DSK4=d.img,if=sata',
      'DSK5=e.img,if=scsi',
      'DSK6=f.img,if=nvme,readonly=on,snapshot=on',
      'DSK7=g.img',
      'DSK8=h.img,if=sata',
    ),
  },
  { title: '9p', text: lines('SHARE1="/srv/a,, b,tag=data,driver=9p"', 'SHARE2=/srv,readonly=on,driver=9p') },
  { title: 'virtiofs', text: lines('TPM=on', 'SHARE1="/srv/a,, b,tag=data"', 'SHARE2=/srv,driver=9p', 'SHARE3=/srv') },
  { title: 'virtiofs-numa', text: lines('RAM=1G', 'SMP=2', 'SHARE1=/srv', 'NUMA1=512M,cpus=0', 'NUMA2=512M,cpus=1') },
  { title: 'tpm', text: lines('TPM=on', 'NIC1=virtio-net-pci,net=user') },
  {
    title: 'q35-cdroms',
    text: `${numbered('CDR', 8, (x) => (x === 2 ? 'empty' : `disc${x}.iso`))}DSK1=a.img\nBOOT=cdrom,disk\n`,
  },
  { title: 'pc-cdroms', text: `MACHINE=pc\n${numbered('CDR', 9, (x) => (x === 9 ? 'empty' : `disc${x}.iso`))}` },
  {
    title: 'nics',
    text: lines(
      'NIC1=virtio-net-pci',
      'NIC2=e1000,bridge=br7,mac=52:54:00:00:00:02',
      'NIC3=virtio-net-pci,net=user,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=udp::5353-10.0.2.15:53',
      'NIC4=rtl8139,net=none',
      'NIC5=virtio-net-pci,queues=4,mtu=9000',
      'NIC6=e1000e',
      'NIC7=virtio-net-pci-non-transitional,net=none',
      'NIC8=i82559er',
      'NIC9=virtio-net-pci,net=user',
      'NIC10=pcnet,net=none',
      'DSK1=a.img',
      'BOOT=network,disk',
    ),
  },
  {
    title: 'nics-managed',
    text: lines('NETIF=managed', 'NIC1=virtio-net-pci,vlan=7', 'NIC2=e1000', 'NIC3=virtio,net=passt', 'MACHINE=pc'),
  },
  { title: 'vnc-display', text: lines('VNC=127.0.0.1:77', 'VGA=virtio') },
  { title: 'vnc-ipv6', text: lines('VNC=[::1]:78', 'VGA=qxl') },
  { title: 'vnc-socket', text: lines('VNC=unix', 'VGA=bochs') },
  { title: 'vnc-password', text: lines('VNC=0.0.0.0,password=vnc.secret', 'VGA=cirrus', 'MACHINE=pc') },
  { title: 'tls-off', text: `RAM=1536M\n${BARE}`, request: { tls: false } },
  {
    title: 'monitor-off',
    text: lines('VGA=vmware', 'SMP=2,sockets=1,cores=2'),
    request: {
      tls: false,
      allocation: { ...PORTS, monitorPort: undefined, controlPort: undefined },
    },
  },
  { title: 'no-slot', text: '', request: { tls: false, allocation: NO_SLOT } },
  { title: 'no-ipv6', text: lines('VGA=ramfb'), request: { ipv6: false } },
  {
    title: 'kernel',
    text: lines('KERNEL=vmlinuz', 'INITRD=initrd.img', 'APPEND="console=ttyS0 root=/dev/vda, quiet"', 'DSK1=a.img'),
  },
  { title: 'uefi', text: lines('MACHINE=pc', 'FIRMWARE=uefi'), request: { firmware: uefi(false) } },
  { title: 'uefi-secure', text: lines('FIRMWARE=uefi-secure'), request: { firmware: uefi(true) } },
  {
    title: 'firmware-file',
    text: lines('FIRMWARE=own bios,v2.bin'),
    request: {
      firmware: {
        code: `${ARGV_DIR}/own bios,v2.bin`,
        codeFormat: 'raw',
        variables: undefined,
        variablesFormat: 'raw',
        secureBoot: false,
      },
    },
  },
  {
    title: 'custom',
    text: lines(
      'NAME=web.example',
      'UUID=6ba7b810-9dad-41d1-80b4-00c04fd430c8',
      'DSK1=a.img',
      '[custom]',
      '-device virtio-keyboard-pci,id=keys,addr=0x1c',
      '-fw_cfg "name=opt/org.example/greeting,string=hello  world"',
      '-global isa-debugcon.iobase=0x402',
    ),
  },
  {
    title: 'odd-paths',
    text: lines(
      'DSK1=two  words,commas,, and "quotes".img',
      "DSK2=it's Zürich-Ñandú-日本.img,if=sata",
      'DSK3=$(touch x)`y`\\z;&|.img,if=scsi,serial=a,,b',
      'CDR1=a,,b=c, d.iso',
    ),
  },
  {
    title: 'sandbox',
    text: lines('SANDBOX=on', 'NETIF=managed', 'NIC1=virtio-net-pci,net=none', 'DSK1=a.img', 'MACHINE=pc-q35-7.2'),
  },
  { title: 'kvm', text: lines('SMP=4', 'RAM=4G', 'MACHINE=pc-i440fx-7.2'), request: { accelerator: 'kvm' } },
  { title: 'cpu-host-without-kvm', text: lines('CPU=host,-vmx'), request: { accelerator: 'tcg' } },
  {
    title: 'desktop',
    text: lines('USB=on', 'SOUND=hda', 'KEYMAP=de-ch', 'OS=windows11', 'VNC=unix'),
  },
  { title: 'sound-virtio', text: lines('SOUND=virtio', 'USB=on'), isNewer: true },
  { title: 'spice', text: lines('SPICE=on', 'SOUND=es1370', 'VGA=qxl', 'VNC=off', 'QGA=off') },
  { title: 'spice-and-vnc', text: lines('SPICE=on', 'SOUND=hda,backend=spice', 'VNC=unix') },
  { title: 'sound-usb', text: lines('MACHINE=pc', 'SOUND=usb,backend=alsa', 'RTC=localtime,driftfix=slew', 'VNC=off') },
  { title: 'sound-old', text: lines('MACHINE=pc', 'SOUND=ac97', 'USB=on', 'RTC=utc', 'OS=windows98') },
  {
    title: 'numa-smbios',
    text: lines(
      'SMP=6',
      'RAM=1G',
      'NUMA1=768M,cpus=0-1,cpus=4-5',
      'NUMA2=256M,cpus=2,cpus=3,hostnodes=0,policy=preferred',
      'SMBIOS1="system,manufacturer=Acme,, Inc.,product=Server,version=1,serial=S-1,sku=K,family=F"',
      'SMBIOS2=bios,vendor=Acme,version=2.0,date=01/02/2030,release=2.0',
      'SMBIOS3=baseboard,manufacturer=Acme,product=Board,version=1,serial=B,asset=A,location=here',
      'SMBIOS4=chassis,manufacturer=Acme,version=1,serial=C,asset=A,sku=K',
      'SMBIOS5=processor,manufacturer=Acme,version=1,serial=P,asset=A,part=7',
      'SMBIOS6=oem,value=one,value=two',
      'SMBIOS7=oem,value=three',
    ),
  },
  {
    title: 'pc-platform',
    text: lines('HPET=off', 'S3=off', 'S4=off', 'PIT=discard', 'VMGENID=on', 'CPU=x86-64-v3,-aes', 'MACHINE=pc'),
  },
  {
    title: 'kvm-platform',
    text: lines('HPET=off', 'S3=off', 'S4=off', 'PIT=discard', 'CPU=x86-64-v2-AES'),
    request: { accelerator: 'kvm' },
  },
  {
    title: 'disk-options',
    text: lines(
      'DSK1=a.img,iothread=on,queues=4,detect-zeroes=on',
      'DSK2=b.img,if=scsi,ssd=on,discard=unmap,detect-zeroes=unmap,bootindex=7',
      'DSK3=c.img,if=sata,ssd=on',
      'DSK4=d.img,if=nvme',
      'CDR1=e.iso,bootindex=2',
      'CDR2=empty',
      'NIC1=virtio,net=user,bootindex=5',
      'NIC2=virtio,net=none',
      'VMGENID=6ba7b810-9dad-41d1-80b4-00c04fd430c8',
      'BOOT=network,disk',
    ),
  },
  { title: 'cloud-init', text: lines('CLOUDINIT=web.seed', 'DSK1=a.qcow2', 'DSK2=b.img', 'CDR1=empty') },
  { title: 'cloud-init-cdroms', text: `CLOUDINIT=web.seed\n${numbered('CDR', 7, () => 'empty')}` },
  { title: 'cloud-init-pc', text: `CLOUDINIT=web.seed\nMACHINE=pc\n${numbered('CDR', 9, () => 'empty')}` },
  { title: 'rates', text: lines('DSK1=a.img,rate=50M', 'DSK2=b.img,if=scsi,rate=1536K', 'NIC1=virtio,rate=10M') },
  {
    title: 'room',
    text: lines('SMP=cpus=2,cores=2', 'MAXSMP=4', 'RAM=256M', 'MAXRAM=1G', 'VGA=none'),
  },
  { title: 'hotplug-all', text: lines('HOTPLUG=24', 'VGA=none') },
  { title: 'hotplug-none', text: lines('HOTPLUG=0', 'VGA=none') },
  { title: 'paused', text: BARE, request: { paused: true } },
  { title: 'preconfig', text: lines('DSK1=a.img'), request: { preconfig: true } },
];

/** A configuration as the command line builder takes it, on a host whose folders are the usual ones. */
export function argvRequest({ text, request = {} }: ArgvConfig): ArgvRequest {
  const paths = resolvePaths({ system: true }, {}, 0, '/');
  const config = configOf(text);
  return {
    config,
    machine: machinePaths(paths, config.longName),
    allocation: PORTS,
    accelerator: 'tcg',
    binary: '/usr/bin/qemu-system-x86_64',
    ipv6: true,
    tls: true,
    images: config.disks.map(({ file }) => ({ file, format: file.endsWith('.qcow2') ? 'qcow2' : 'raw' })),
    cdroms: config.cdroms,
    links: config.nics.map((nic) => ({
      mac: nic.mac ?? `DE:AD:BE:EF:00:${nic.index.toString(16).padStart(2, '0').toUpperCase()}`,
      netdev: netdevArguments(nic, {
        tap: `web.${nic.index}`,
        netif: config.netif,
        upHook: paths.bridgeUpHook,
        downHook: paths.bridgeDownHook,
        vhost: false,
        passtFd: nic.net === 'passt' ? 3 : undefined,
      }),
      deviceProperties: nicDeviceProperties(nic),
    })),
    firmware: undefined,
    paused: false,
    preconfig: false,
    ...request,
  };
}

/** The machine of a cfg text that has no problem. */
export function configOf(text: string, path = `${ARGV_DIR}/web-qemu.cfg`): MachineConfig {
  const { config, issues } = parseMachineConfig(text, { path });
  assert.deepEqual(issues, []);
  assert.ok(config);
  assert.equal(config.dir, dirname(path));
  return config;
}
