import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Drive, ImageNode, Part } from '../../../../src/machine/argv/description.ts';
import { option } from '../../../../src/machine/argv/description.ts';
import { shownText, textsOf } from '../../../../src/machine/plug/texts.ts';

function drive(media: Drive['media'], image: ImageNode | undefined): Drive {
  return { kind: 'drive', key: 'CDR1', id: 'cdr1', media, image, readonly: true, snapshot: false };
}

test('a disc that was put in without the file is shown as the file would have it', () => {
  const texts = textsOf('CDR1=empty\nRAM=1G\n');
  const shown = (...parts: readonly Part[]): string => shownText('CDR1', texts, texts, parts);
  const disc = { file: '/srv/a disc.iso', format: 'raw' };
  assert.equal(shown(drive('cdrom', disc)), '/srv/a disc.iso');
  assert.equal(shown(drive('cdrom', undefined)), 'empty');
  assert.equal(
    shown({ kind: 'device', key: 'CDR1', driver: 'ide-cd', properties: {}, drive: drive('cdrom', disc) }),
    '/srv/a disc.iso',
  );
});

test('what no key shows is shown as the options of QEMU', () => {
  const texts = textsOf('RAM=1G\n');
  assert.equal(shownText('RAM', texts, texts, [option('RAM', '-m', '1G')]), '-m 1G');
  assert.equal(shownText('RAM', texts, textsOf('RAM=2G\n'), []), '1G');
  assert.equal(shownText('SMP', textsOf(''), textsOf('SMP=4\n'), []), '1');
});
