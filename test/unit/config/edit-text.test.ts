import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { renderTemplate } from '../../../src/config/template.ts';
import { setKey } from '../../../src/config/text/edit-text.ts';
import { parseIni } from '../../../src/config/text/ini.ts';
import { parseGood } from './support.ts';

suite('setKey()', () => {
  test('changes a key where it stands and keeps blanks, quotes, comments and ends of lines', () => {
    const text = '\uFEFF# c\r\n  RAM =  1G  # memory\r\nDESC="x y"; z\r\n[custom]\r\nRAM=1\r\n';
    assert.equal(setKey(text, 'RAM', '2G'), text.replace('1G', '2G'));
    assert.equal(setKey(text, 'DESC', 'a "b"'), text.replace('"x y"', String.raw`"a \"b\""`));
    assert.equal(setKey('RAM=1G', 'RAM', 'a # b'), 'RAM="a # b"');
    assert.equal(setKey('RAM=\nSMP=1\n', 'RAM', '2G'), 'RAM=2G\nSMP=1\n');
    assert.equal(setKey('RAM= # none\n', 'RAM', '2G'), 'RAM= 2G# none\n');
  });

  test('adds a key behind the last one, before [custom]', () => {
    assert.equal(setKey('', 'RAM', '2G'), 'RAM=2G\n');
    assert.equal(setKey('# c\nSMP=1', 'RAM', '2G'), '# c\nSMP=1\nRAM=2G\n');
    assert.equal(setKey('SMP=1\r\n\r\n[custom]\r\n-x\r\n', 'RAM', '2G'), 'SMP=1\r\nRAM=2G\r\n\r\n[custom]\r\n-x\r\n');
    assert.equal(setKey('[custom]\n-x\n', 'RAM', '2G'), 'RAM=2G\n[custom]\n-x\n');
    assert.equal(setKey('\uFEFF', 'RAM', '2G'), '\uFEFFRAM=2G\n');
  });

  test('adds a key below its commented-out line, so that it stays with its explanation', () => {
    const text = setKey(setKey(renderTemplate(), 'AUTOSTART', 'on'), 'NAME', 'db');
    assert.match(text, /^#AUTOSTART=off\nAUTOSTART=on\n$/m);
    assert.match(text, /^#NAME=web\nNAME=db\n$/m);
    assert.equal(parseGood(text).autostart, true);
  });

  test('refuses a value that cannot stand on a line', () => {
    for (const value of ['a\nb', 'a\0', '\u001b'])
      assert.throws(() => setKey('', 'DESC', value), { code: 'QEMU_USAGE' });
  });

  test('a value that is set is read back, and setting it again changes nothing', () => {
    const lines = fc.array(
      fc.oneof(fc.constantFrom('KEY=1', 'KEY="a" # b', '#KEY=1', 'OTHER=2', '', '[custom]', '-x'), fc.string()),
    );
    const value = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/\p{Cc}/gu, ''));
    fc.assert(
      fc.property(lines, value, (before, wanted) => {
        const text = setKey(before.join('\n'), 'KEY', wanted);
        assert.equal(parseIni(text, '/f', 'custom').entries.find(({ key }) => key === 'KEY')?.value, wanted);
        assert.equal(setKey(text, 'KEY', wanted), text);
      }),
      { numRuns: 300 },
    );
  });
});
