import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findKey, firstKey, KEYS, keyPattern, MONITOR_KEYS } from '../../../src/config/keys.ts';
import { parseMachineConfig } from '../../../src/config/machine-config.ts';
import { parseMonitorConfig } from '../../../src/config/monitor-config.ts';
import { parseRegistry } from '../../../src/config/registry.ts';
import {
  renderDefaults,
  renderEmptyRegistry,
  renderMonitorConf,
  renderTemplate,
} from '../../../src/config/template.ts';
import { assertGolden } from '../../support/golden.ts';
import { withoutOrigins } from './support.ts';

const PATH = '/etc/qemu/web-qemu.cfg';

suite('files of etc/qemu', () => {
  test('template-qemu.cfg is the one that the key table makes', () => {
    assertGolden('etc/qemu/template-qemu.cfg', renderTemplate());
  });

  test('defaults-qemu.cfg is the one that the key table makes', () => {
    assertGolden('etc/qemu/defaults-qemu.cfg', renderDefaults());
  });

  test('monitor.conf is the one that the key table makes', () => {
    assertGolden('etc/qemu/monitor.conf', renderMonitorConf());
  });

  test('qemu-init.reg has no machine in it', () => {
    assertGolden('etc/qemu/qemu-init.reg', renderEmptyRegistry());
    assert.deepEqual(parseRegistry(renderEmptyRegistry(), '/r'), { entries: [], issues: [] });
  });

  test('no line is longer than 118 characters', () => {
    const lines = [renderTemplate(), renderDefaults(), renderMonitorConf(), renderEmptyRegistry()].join('').split('\n');
    assert.deepEqual(
      lines.filter((line) => line.length > 118),
      [],
    );
  });
});

suite('template-qemu.cfg', () => {
  test('as it is, is a machine with all the defaults', () => {
    const template = parseMachineConfig(renderTemplate(), { path: PATH });
    assert.deepEqual(template.issues, []);
    assert.deepEqual(template.config, parseMachineConfig('', { path: PATH }).config);
  });

  test('shows each key of the table once, with its default', () => {
    for (const spec of KEYS) {
      const key = firstKey(spec);
      const lines = renderTemplate().split('\n');
      assert.equal(lines.filter((line) => line.startsWith(`#${key}=`)).length, 1, key);
      assert.equal(lines.filter((line) => line.startsWith(`# ${keyPattern(spec)}: `)).length, 1, key);
    }
  });

  test('with its defaults uncommented is the same machine', () => {
    const written = KEYS.filter((spec) => spec.default !== '').map((spec) => `${spec.name}=${spec.default}\n`);
    const parsed = parseMachineConfig(written.join(''), { path: PATH });
    assert.deepEqual(parsed.issues, []);
    assert.deepEqual(withoutOrigins(parsed.config), withoutOrigins(parseMachineConfig('', { path: PATH }).config));
  });

  test('with its examples uncommented has no problem', () => {
    const text = renderTemplate().replaceAll(/^#(?=[A-Z_]+\d?=|\[|-)/gm, '');
    const { issues } = parseMachineConfig(text, { path: PATH });
    const others = issues.filter(({ message }) => !message.startsWith('RUNAS needs NETIF=managed'));
    assert.deepEqual(others, []);
  });
});

test('defaults-qemu.cfg shows no key that belongs to one machine', () => {
  const shown = renderDefaults().matchAll(/^#([A-Z_]+)\d?=/gm);
  const specs = [...shown].map(([line]) => findKey(line.slice(1, -1)));
  assert.equal(specs.length, KEYS.filter(({ inDefaults }) => inDefaults !== false).length);
  for (const spec of specs) assert.notEqual(spec?.inDefaults, false, spec?.name);
});

test('monitor.conf with its lines uncommented is the same as an empty one', () => {
  const uncommented = renderMonitorConf().replaceAll(/^#(?=[A-Z]+=)/gm, '');
  const parsed = parseMonitorConfig(uncommented, '/m');
  assert.deepEqual(parsed, parseMonitorConfig('', '/m'));
  for (const { name } of MONITOR_KEYS) assert.match(uncommented, new RegExp(`^${name}=`, 'm'));
});

suite('key table', () => {
  test('names are unique, and every key has one line of explanation without a period', () => {
    assert.equal(new Set(KEYS.map(({ name }) => name)).size, KEYS.length);
    for (const spec of [...KEYS, ...MONITOR_KEYS]) {
      for (const { doc } of [spec, ...(spec.options ?? [])]) assert.match(doc, /^[^\n]+[^.\n]$/, spec.name);
    }
  });

  test('a key is found by its name, one of a family by its number', () => {
    assert.equal(findKey('RAM')?.name, 'RAM');
    assert.equal(findKey('DSK12')?.name, 'DSK');
    assert.equal(findKey('DSK'), undefined);
    assert.equal(findKey('RAM1'), undefined);
    assert.equal(findKey('ram'), undefined);
    assert.equal(findKey('toString'), undefined);
  });

  test('a default is among the values where the values are a closed list', () => {
    for (const { name, type, values, default: text } of [...KEYS, ...MONITOR_KEYS]) {
      if (type === 'choice' || type === 'switch') assert.ok(values?.includes(text), name);
    }
  });
});
