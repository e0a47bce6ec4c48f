import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { joinWords, shellCommand, splitWords } from '../../../src/config/text/shell-words.ts';

suite('splitWords()', () => {
  test('splits at blanks and removes quotes and backslashes', () => {
    assert.deepEqual(splitWords(`  a  "b c" 'd "e"' f\\ g h"i"'j' "" ''\t`), [
      'a',
      'b c',
      'd "e"',
      'f g',
      'hij',
      '',
      '',
    ]);
    assert.deepEqual(splitWords(String.raw`"a\"b\\c\$d\e"`), [String.raw`a"b\c$d\e`]);
    assert.deepEqual(splitWords(''), []);
  });

  test('expands nothing and knows no operators', () => {
    const text = '$HOME `id` $(touch x) *.img ~ a;b c|d e>f #g {1,2}';
    assert.deepEqual(splitWords(text), text.split(' '));
  });

  test('an open quote and a backslash at the end are refused', () => {
    for (const text of ["'a", '"a', '"a\\"', 'a\\']) {
      assert.throws(() => splitWords(text), { code: 'QEMU_USAGE' }, text);
    }
  });

  test('splits as /bin/sh does', () => {
    const texts = [`a 'b  c' "d e" f\\ g`, String.raw`"a\"b" 'c\d' "e\f" g\h`, `""'' x"y z"'w v'`];
    for (const text of texts) {
      const words = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${text}`], { encoding: 'utf8' });
      assert.deepEqual(splitWords(text), words.split('\0').slice(0, -1), text);
    }
  });

  test('words that are joined come apart again', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
        assert.deepEqual(splitWords(joinWords(words)), words);
      }),
    );
  });

  test('any text is split or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ' ', '\t', '"', "'", '\\', '$', '\n') }), (text) => {
        try {
          splitWords(text);
        } catch (error) {
          assert.equal(Reflect.get(Object(error), 'code'), 'QEMU_USAGE');
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('shellCommand() gives a real shell the same words, whatever is in them', () => {
  const odd = ['/x;id>pwned;.img', "a'b", '$(id)', '`id`', '\u{1b}[2J\n', '\\', '*', '~', '', '#', '!x', '\u{9b}2J'];
  const random = fc.sample(fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' })), 200);
  const words = [...odd, ...random].map((word) => word.replaceAll('\0', ''));
  const command = shellCommand(...words);
  assert.doesNotMatch(command, /\p{Cc}/u);
  const printed = execFileSync('bash', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' });
  assert.deepEqual(printed.split('\0').slice(0, -1), words);
});
