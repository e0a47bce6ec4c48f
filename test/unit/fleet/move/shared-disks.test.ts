import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedImages, wayOut } from '../../../../src/fleet/move/shared-disks.ts';

const images = ['DSK1', 'CDR1', 'image 1 of [custom],'].map((key) => ({ key, layers: [] }));

test('both places share all images, but for the disks that are copied', () => {
  const keys = (copyDisks: boolean): string[] => sharedImages({ images, copyDisks }).map(({ key }) => key);
  assert.deepEqual(keys(false), ['DSK1', 'CDR1', 'image 1 of [custom],']);
  assert.deepEqual(keys(true), ['image 1 of [custom],']);
});

test('what can be copied is to be copied, and the rest is to become what can be', () => {
  assert.match(wayOut('DSK1'), /--copy-disks/);
  assert.match(wayOut('image 1 of [custom],'), /DSKx/);
});
