import assert from 'node:assert/strict';
import { test } from 'node:test';
import { processorArgs, readTriedFeatures } from '../../../../src/machine/check/try-processor.ts';
import { isProcessorCertain, processorDifference } from '../../../../src/machine/move/same-processor.ts';

test('a processor may gain features, but lose only those that no processor has had', () => {
  const before = new Map([
    ['1.0.EDX', 0b11],
    ['7.0.EBX', (1 << 22) | 1],
  ]);
  const after = (edx: number): ReadonlyMap<string, number> =>
    new Map([
      ['1.0.EDX', edx],
      ['7.0.EBX', 1],
    ]);
  assert.equal(processorDifference(before, after(0b111)), undefined);
  assert.match(processorDifference(before, after(0b01)) ?? '', /would lose features \(CPUID 1\.0\.EDX: 0x2\)/);
  assert.match(processorDifference(before, new Map()) ?? '', /1\.0\.EDX: 0x3, 7\.0\.EBX: 0x1/);
  assert.match(processorDifference(undefined, before) ?? '', /not known/);
  assert.match(processorDifference(before, undefined) ?? '', /not known/);
});

test('what a processor can do may differ where the versions of QEMU do, or where it is the one of a host', () => {
  const args = ['-machine', 'q35', '-accel', 'tcg', '-cpu', 'max'];
  const then = { qemu: { version: '7.2.22', binary: '' }, args };
  assert.equal(isProcessorCertain(then, { qemuVersion: '7.2.1', args }), true);
  assert.equal(isProcessorCertain(then, { qemuVersion: '10.0.3', args }), false);
  const kvm = args.map((each) => (each === 'tcg' ? 'kvm' : each));
  assert.equal(isProcessorCertain(then, { qemuVersion: '7.2.22', args: kvm }), false);
  assert.equal(isProcessorCertain({ ...then, args: kvm }, { qemuVersion: '7.2.22', args }), false);
});

test('a QEMU that is asked for its processor is given nothing that it could open', () => {
  const args =
    '-nodefaults -name web -machine q35,pflash0=code -accel tcg,thread=multi -cpu EPYC,+x -smp 2,maxcpus=4 -drive file=a -cpu';
  assert.deepEqual(processorArgs(args.split(' '), 'pc-q35-7.2'), [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'pc-q35-7.2'],
    ...['-accel', 'tcg,thread=multi', '-cpu', 'EPYC,+x', '-smp', '2,maxcpus=4', '-S', '-qmp', 'stdio'],
  ]);
  assert.deepEqual(processorArgs(['-machine', 'pc,x=y'], undefined).slice(4, 6), ['-machine', 'pc']);
});

test('the answer to that is only taken for the processor that was asked for', () => {
  const word = { 'cpuid-input-eax': 7, 'cpuid-input-ecx': 0, 'cpuid-register': 'EBX', features: 5 };
  const answers = (path: string, words: unknown): string =>
    [{ QMP: {} }, { return: {} }, { return: [{ 'qom-path': path }] }, { return: words }, { return: {} }]
      .map((each) => JSON.stringify(each))
      .join('\r\n');
  const path = '/machine/unattached/device[0]';
  assert.deepEqual(readTriedFeatures(answers(path, [word])), new Map([['7.0.EBX', 5]]));
  assert.equal(readTriedFeatures(answers('/machine/unattached/device[2]', [word])), undefined);
  assert.equal(readTriedFeatures(answers(path, 'arm')), undefined);
  assert.equal(readTriedFeatures('no QMP'), undefined);
});
