import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findQemu, probeQemu } from '../../../src/system/probe/qemu-probe.ts';
import { isProbeAnswer, parseProbeOutput, probeInput } from '../../../src/system/probe/qemu-probe-dialogue.ts';
import { tempDir } from '../../support/temp-root.ts';

/** As a QEMU of version 9 prints it, shortened. */
const OUTPUT = `{"QMP": {"version": {"qemu": {"micro": 2, "minor": 1, "major": 9}, "package": ""}, "capabilities": ["oob"]}}
{"return": {}, "id": "negotiate"}
{"return": {"qemu": {"micro": 2, "minor": 1, "major": 9}, "package": ""}, "id": "version"}
{"return": [{"name": "pc-q35-9.1", "alias": "q35", "cpu-max": 4096}, {"name": "pc-i440fx-9.1", "alias": "pc", "is-default": true, "cpu-max": 255}, {"name": "none", "cpu-max": 1}], "id": "machines"}
{"return": [{"name": "virtio-net-pci", "parent": "virtio-net-pci-base-type"}], "id": "devices"}
{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "RESUME"}
{"return": [{"name": "rng-random", "parent": "rng-backend"}], "id": "objects"}
{"return": [{"name": "tcg-accel", "parent": "accel"}, {"name": "accel", "parent": "object"}], "id": "accelerators"}
{"return": [{"name": "max", "typename": "max-x86_64-cpu"}], "id": "cpus"}
{"return": "Storage devices:\\r\\nname \\"nvme\\", bus PCI\\r\\n\\r\\nNetwork devices:\\r\\nname \\"usb-net\\", bus usb-bus\\r\\nname \\"virtio-net-pci\\", bus PCI, alias \\"virtio-net\\"\\r\\n\\r\\nInput devices:\\r\\nname \\"usb-kbd\\", bus usb-bus\\r\\n", "id": "deviceHelp"}
{"return": [{"name": "quit"}], "id": "commands"}
{"return": [{"state": false, "capability": "events"}], "id": "migration"}
{"return": {}, "id": "quit"}
`;

test('all that QEMU is asked fits one write, one command a line, each with its own id', () => {
  const lines = probeInput().trimEnd().split('\n');
  const ids = lines.map((line) => JSON.parse(line).id);
  assert.equal(new Set(ids).size, lines.length);
  assert.equal(ids.at(-1), 'quit');
  assert.ok(Buffer.byteLength(probeInput()) < 4096);
});

test('the answers are told apart by their ids, events are passed over', () => {
  assert.deepEqual(parseProbeOutput(OUTPUT), {
    version: [9, 1, 2],
    machines: [
      ['pc-q35-9.1', 'pc-q35-9.1'],
      ['q35', 'pc-q35-9.1'],
      ['pc-i440fx-9.1', 'pc-i440fx-9.1'],
      ['pc', 'pc-i440fx-9.1'],
      ['none', 'none'],
    ],
    defaultMachine: 'pc-i440fx-9.1',
    maxCpus: [
      ['pc-q35-9.1', 4096],
      ['pc-i440fx-9.1', 255],
      ['none', 1],
    ],
    devices: ['virtio-net-pci'],
    objects: ['rng-random'],
    cpus: ['max'],
    nics: [
      ['usb-net', 'usb-bus'],
      ['virtio-net-pci', 'PCI'],
      ['virtio-net', 'PCI'],
    ],
    commands: ['quit'],
    accelerators: ['tcg'],
    migration: ['events'],
  });
});

test('an answer that is missing, refused or of another form makes no probe', () => {
  const lines = OUTPUT.trimEnd().split('\n');
  for (const index of [2, 4, 6, 10]) {
    const line = lines[index] ?? '';
    assert.equal(parseProbeOutput(OUTPUT.replace(line, '')), undefined);
    assert.equal(parseProbeOutput(OUTPUT.replace(line, line.replace('"return"', '"error"'))), undefined);
    assert.equal(
      parseProbeOutput(OUTPUT.replace(line, line.replace(/"return": .*, "id"/, '"return": 5, "id"'))),
      undefined,
    );
  }
  for (const output of ['', 'not JSON\n', '[]\n', '5\n']) assert.equal(parseProbeOutput(output), undefined);
});

test('a target that does not list its models is known by their types', () => {
  const refused = OUTPUT.replace(/^.*"id": "cpus".*$/m, '{"id": "cpus", "error": {"class": "CommandNotFound"}}');
  const types =
    '{"return": [{"name": "rv64-riscv-cpu"}, {"name": "sifive-u54-riscv-cpu"}, {"name": "hppa-cpu"}], "id": "cpuTypes"}';
  assert.deepEqual(parseProbeOutput(`${refused}${types}\n`)?.cpus, ['rv64', 'sifive-u54']);
});

test('an answer survives being stored', () => {
  assert.ok(isProbeAnswer(JSON.parse(JSON.stringify(parseProbeOutput(OUTPUT)))));
});

const NO_TARGET = 'set the name of a program, such as qemu-system-x86_64, or a path';

for (const [binary, hint] of [
  ['/opt/none/qemu-system-x86_64', 'apt install qemu-system-x86'],
  ['/opt/none/qemu-system-i386', 'apt install qemu-system-x86'],
  ['/opt/none/qemu-system-aarch64', 'apt install qemu-system-arm'],
  ['/opt/none/qemu-system-ppc64', 'apt install qemu-system-ppc'],
  ['/opt/none/qemu-system-s390x', 'apt install qemu-system-misc'],
  ['alpha', 'the program is called qemu-system-alpha; apt install qemu-system-misc'],
  ['qemu-system-x86_65', NO_TARGET],
  ['no-such-qemu', NO_TARGET],
] as const) {
  test(`a missing "${binary}" is QEMU_NOT_INSTALLED, with the hint "${hint}"`, () => {
    assert.throws(() => findQemu(binary), {
      code: 'QEMU_NOT_INSTALLED',
      message: `Cannot find QEMU "${binary}"`,
      hint,
    });
  });
}

test('a program that is no QEMU is told as such, with what it said', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'qemu'), '#!/bin/sh\necho "bad option" >&2\nexit 2\n', { mode: 0o755 });
  await assert.rejects(probeQemu(join(dir, 'qemu'), join(dir, 'cache')), {
    code: 'QEMU_COMMAND_FAILED',
    message: `Cannot find out what "${join(dir, 'qemu')}" can do`,
    cause: new Error('bad option'),
  });
});
