import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QemuError } from '../../../../src/base/errors.ts';
import type { KeySpec, OptionSpec } from '../../../../src/config/keys/key-spec.ts';
import { KEYS, stemOf } from '../../../../src/config/keys.ts';
import { type Inspection, parseMachineConfig } from '../../../../src/config/machine-config.ts';
import { joinWords } from '../../../../src/config/text/shell-words.ts';
import { buildArgs } from '../../../../src/machine/argv/build.ts';
import { importDefinition } from '../../../../src/provision/import/import.ts';
import { ARGV_CONFIGS, ARGV_DIR, type ArgvConfig, argvRequest } from '../../../support/argv-configs.ts';
import { DEFINITIONS } from '../../../support/definitions/all.ts';
import { STORAGES } from '../../../support/definitions/proxmox.ts';
import { importText, ofOutcome } from '../../../support/import-files.ts';

/** A host on which every file is there that a definition names. */
const files = { dir: ARGV_DIR, exists: () => true, read: () => undefined, storages: new Map<string, string>() };

/** Imports what `showcmd` prints for a machine, which must be the same machine then. */
function assertKept(config: ArgvConfig): void {
  const binary = inspect(config.text).config?.targetArch ?? '';
  const request = { ...config, request: { binary, ...config.request } };
  const args = buildArgs(argvRequest(request));
  const result = importDefinition(joinWords([binary, ...args]), {
    path: '/srv/run.sh',
    files,
    etcDir: ARGV_DIR,
    format: 'command',
  });
  assert.deepEqual(ofOutcome(result, 'lost', 'refused'), [], config.text);
  const again = buildArgs(argvRequest({ ...request, text: result.text }));
  assert.deepEqual(inAnyOrder(again), inAnyOrder(args), `${config.text}\n${result.text}`);
}

const inspect = (text: string): Inspection => parseMachineConfig(text, { path: `${ARGV_DIR}/web-qemu.cfg` });

/** Options that add to each other, such as `-boot` in [custom], say the same in one and in several, wherever they are. */
function inAnyOrder(args: readonly string[]): string[] {
  return args
    .flatMap((word, at) => {
      const before = args[at - 1] ?? '';
      if (/^-(?:boot|machine|action)$/.test(word)) return [];
      if (before === '-smp') return [word.replace(/^cpus=/, '')];
      return /^-(?:boot|machine|action)$/.test(before) ? word.split(',').map((part) => `${before} ${part}`) : [word];
    })
    .sort();
}

/**
 * What is not in a command line: passwords and keys, the folder with the data for cloud-init, one that another
 * program shares, and which USB device is passed on. `-set` becomes part of what it
 * is said of.
 */
const OUTSIDE = /^(?:VNC=.*password=|CLOUDINIT=|SHARE\d+=(?!.*driver=9p)|USB\d+=|DSK\d+=.*key=|-set )/m;

for (const config of ARGV_CONFIGS.filter(({ text }) => !OUTSIDE.test(text))) {
  test(`the command line of "${config.title}" is imported as the same machine`, () => assertKept(config));
}

for (const { title, path, text } of DEFINITIONS) {
  test(`what is imported from ${title} has a command line that is imported as the same machine`, (t) => {
    let imported: string;
    try {
      imported = importText(text, `/${path}`, { '/etc/pve/storage.cfg': STORAGES }).text;
    } catch (error) {
      if (error instanceof QemuError) return t.skip('no machine');
      throw error;
    }
    // What [custom] overrides is not what the keys say.
    if (!OUTSIDE.test(imported) && inspect(imported).issues.length === 0) assertKept({ title, text: imported });
  });
}

for (const spec of KEYS) {
  const key = spec.family ? `${stemOf(spec)}1` : spec.name;
  test(`each value of ${spec.name} is in a command line, or nowhere in it`, () => {
    const tried = valuesOf(spec).flatMap((value) => {
      const text = `${BESIDES[spec.name] ?? ''}${key}="${value}"\n`;
      return OUTSIDE.test(text) || inspect(text).issues.length > 0 ? [] : [text];
    });
    if (!OUTSIDE.test(`${key}=x`)) assert.notEqual(tried.length, 0);
    for (const text of tried) {
      for (const accelerator of ['tcg', 'kvm'] as const)
        assertKept({ title: spec.name, text, request: { accelerator } });
    }
  });
}

/** The words of a key, its limits, and its example with each of its options. */
function valuesOf({ name, family, values = [], example, min, max, options = [], default: usual }: KeySpec): string[] {
  const heads = [...values, ...(example === undefined ? [] : [example]), ...(HEADS[name] ?? []), usual];
  const limits = (family ? [] : [min, max]).filter((limit) => limit !== undefined).map(String);
  const withOptions = heads.flatMap((head) =>
    options.flatMap((option) => samplesOf(option).map((sample) => `${head},${option.name}=${sample}`)),
  );
  return [...new Set([...heads, ...limits, ...withOptions])].filter((value) => value !== '');
}

function samplesOf({ name, type, values = [], min, max }: OptionSpec): readonly string[] {
  if (type === 'choice' || type === 'switch') return values;
  if (type === 'integer') return [min ?? 1, max ?? 9].map(String);
  return SAMPLES[name] ?? ['a,, b=c', 'x'];
}

/** What the table has no words for. */
const HEADS: Readonly<Record<string, readonly string[]>> = {
  SMP: ['cpus=4,sockets=2,cores=2', '2,maxcpus=4'],
  RAM: ['1M', '1536M', '16G'],
  MACHINE: ['pc', 'pc-q35-7.2', 'q35,vmport=off'],
  CPU: ['qemu64', 'x86-64-v2-AES,-aes', 'Haswell,hv-relaxed=on', 'host,-vmx'],
  SMBIOS: ['system', 'bios', 'baseboard', 'chassis', 'processor', 'oem'],
  NIC: ['virtio-net-pci,net=user', 'e1000,net=none', 'rtl8139,bridge=br7'],
  DSK: ['a.img', 'b.qcow2,if=scsi', 'c.img,if=sata', 'd.img,if=ide', 'e.img,if=nvme,serial=1'],
  CDR: ['empty'],
  VNC: ['127.0.0.1:77', '[::1]:5', ':1'],
  SHARE: ['/srv,driver=9p'],
};

/** Values of options that are texts. */
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  rate: ['50M'],
  mac: ['52:54:00:00:00:01'],
  hostfwd: ['tcp:127.0.0.1:2222-:22', 'udp::5353-10.0.2.15:53'],
  release: ['1.2'],
  date: ['01/02/2030'],
  hostnodes: ['0', '0-1'],
  cpus: ['0'],
  bridge: ['br7'],
};

/** Keys that a key needs beside it. */
const BESIDES: Readonly<Record<string, string>> = {
  INITRD: 'KERNEL=k\n',
  APPEND: 'KERNEL=k\n',
  SOUND: 'SPICE=on\n',
};
