import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { ConfigError } from '../../../src/base/config-error.ts';
import { formatIssue } from '../../../src/config/text/issues.ts';
import {
  inspectMachineConfig,
  loadMachineConfig,
  loadMonitorConfig,
  loadRegistry,
} from '../../../src/machine/load-config.ts';

const dir = mkdtempSync(join(tmpdir(), 'qi-'));
after(() => rmSync(dir, { recursive: true }));

const NO_DEFAULTS = join(dir, 'none');

function file(name: string, content: string | Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

function problemsOf(path: string, defaultsPath = NO_DEFAULTS): string[] {
  const { config, issues } = inspectMachineConfig(path, defaultsPath);
  assert.equal(config, undefined);
  return issues.map((issue) => formatIssue(issue).replace(`${dir}/`, ''));
}

suite('loadMachineConfig()', () => {
  test('reads cfg and JSON files over the defaults', () => {
    const defaults = file('defaults-qemu.cfg', 'VGA=none\n');
    const config = loadMachineConfig(file('web-qemu.cfg', 'DSK1=ü.img\n'), defaults);
    assert.equal(config.disks[0]?.file, join(dir, 'ü.img'));
    assert.equal(config.vga, 'none');
    const json = '{"vm":{"name":"j"},"cpu":{"cores":2},"memory":{"size_mb":64},"disk":{"name":"d.img"}}';
    assert.equal(loadMachineConfig(file('j.json', json), NO_DEFAULTS).memoryBytes, 64 * 1024 ** 2);
  });

  test('throws one error with all problems', () => {
    const path = file('bad-qemu.cfg', 'RMA=1\nSMP=x\n');
    assert.throws(
      () => loadMachineConfig(path, NO_DEFAULTS),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.code, 'QEMU_CONFIG_INVALID');
        assert.equal(error.message, `Cannot use "${path}": it has 2 problems`);
        assert.deepEqual(
          error.issues.map(({ file: where, line, key }) => [where, line, key]),
          [
            [path, 1, 'RMA'],
            [path, 2, 'SMP'],
          ],
        );
        return true;
      },
    );
  });
});

suite('a file that cannot be used', () => {
  test('is one clear problem: missing, a folder, a FIFO, a device, or a path through a file', () => {
    const fifo = join(dir, 'fifo-qemu.cfg');
    execFileSync('/usr/bin/mkfifo', [fifo]);
    assert.deepEqual(problemsOf(join(dir, 'gone-qemu.cfg')), ['gone-qemu.cfg: The file does not exist']);
    assert.deepEqual(problemsOf(dir), [`${dir}: This is a folder, not a file`]);
    assert.deepEqual(problemsOf(fifo), ['fifo-qemu.cfg: This is not a regular file']);
    assert.match(
      String(problemsOf('/dev/zero')),
      /^\/dev\/zero: Cannot trust "\/dev\/zero": it can be written by every user/,
    );
    assert.deepEqual(problemsOf(join(file('plain-qemu.cfg', ''), 'x')), ['plain-qemu.cfg/x: The file does not exist']);
    assert.throws(() => loadMachineConfig(join(dir, 'gone-qemu.cfg'), NO_DEFAULTS), { code: 'QEMU_CONFIG_INVALID' });
  });

  test('is one clear problem: too large, no UTF-8, a NUL, a very long line', () => {
    assert.deepEqual(problemsOf(file('large-qemu.cfg', '#'.repeat(1024 ** 2 + 1))), [
      'large-qemu.cfg: The file is larger than 1048576 bytes',
    ]);
    assert.deepEqual(problemsOf(file('latin-qemu.cfg', Buffer.from('RAM=1G\nOS=caf\u00e9\nSMP=x\n', 'latin1'))), [
      'latin-qemu.cfg:2: The line is not UTF-8 text (save the file as UTF-8)',
    ]);
    assert.deepEqual(problemsOf(file('utf16-qemu.cfg', Buffer.from('\uFEFFRAM=1G\n', 'utf16le'))), [
      'utf16-qemu.cfg:1: The line is not UTF-8 text (save the file as UTF-8)',
    ]);
    assert.deepEqual(problemsOf(file('nul-qemu.cfg', 'RAM=1G\n\0\n')), [
      'nul-qemu.cfg:2: The file has a NUL byte; it is not a text file',
    ]);
    assert.deepEqual(problemsOf(file('long-qemu.cfg', `\nOS=${'x'.repeat(70_000)}\n`)), [
      'long-qemu.cfg:2: The line is longer than 65536 characters',
    ]);
    assert.equal(problemsOf(file('elf-qemu.cfg', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0xff, 0xfe]))).length, 1);
  });

  test('a byte order mark and CRLF are no problem', () => {
    assert.equal(loadMachineConfig(file('dos-qemu.cfg', '\uFEFFRAM=1G\r\nOS="a b"\r\n'), NO_DEFAULTS).os, 'a b');
  });

  test('defaults that cannot be used stop every machine, and are named', () => {
    const path = file('ok-qemu.cfg', '');
    assert.deepEqual(problemsOf(path, dir), [`${dir}: This is a folder, not a file`]);
    assert.deepEqual(problemsOf(path, file('bad-defaults', 'RAM=x\n')), [
      'bad-defaults:1: RAM must be 1M to 16T, such as 512M or 2G, not "x"',
    ]);
  });

  test('a file that may not be read is not permitted', (t) => {
    const denied = file('denied-qemu.cfg', '');
    chmodSync(denied, 0o000);
    if (process.geteuid?.() === 0) {
      // Root may read everything.
      process.seteuid?.(65534);
      t.after(() => process.seteuid?.(0));
    }
    const message = /^Cannot use ".*denied-qemu\.cfg": it has /;
    assert.throws(() => loadMachineConfig(denied, NO_DEFAULTS), { code: 'QEMU_NOT_PERMITTED', message });
    assert.throws(() => loadMonitorConfig(denied), { code: 'QEMU_NOT_PERMITTED', message });
    assert.deepEqual(problemsOf(denied, '/no-defaults'), ['denied-qemu.cfg: This user may not read the file']);
    assert.equal(loadRegistry(denied).issues.length, 1);
  });
});

suite('loadMonitorConfig()', () => {
  test('a missing file means the defaults', () => {
    assert.equal(loadMonitorConfig(join(dir, 'no-monitor.conf')).monitorPort, 30320);
  });

  test('a wrong one is refused', () => {
    assert.throws(() => loadMonitorConfig(file('monitor.conf', 'MONPORT=x\n')), {
      code: 'QEMU_CONFIG_INVALID',
      message: `Cannot use "${join(dir, 'monitor.conf')}": it has a problem`,
    });
    assert.throws(() => loadMonitorConfig(dir), { code: 'QEMU_CONFIG_INVALID' });
  });
});

suite('loadRegistry()', () => {
  test('a missing file is an empty registry', () => {
    assert.deepEqual(loadRegistry(join(dir, 'no.reg')), { entries: [], issues: [] });
  });

  test('problems are issues, and what is good is there', () => {
    const { entries, issues } = loadRegistry(file('qemu-init.reg', 'w=web\nx y\n'));
    assert.deepEqual(entries, [{ shortName: 'w', longName: 'web', dir: undefined, line: 1 }]);
    assert.equal(issues.length, 1);
    assert.equal(loadRegistry(dir).issues.length, 1);
  });
});
