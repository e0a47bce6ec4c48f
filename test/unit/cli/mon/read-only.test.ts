import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHmpQuery, isQmpQuery } from '../../../../src/cli/mon/read-only.ts';

test('of QMP only those commands pass that look', () => {
  const looks = ['query-status', 'x-query-numa', 'qom-list', 'qom-list-types', 'qom-get', 'device-list-properties'];
  for (const command of looks) assert.equal(isQmpQuery(command), true, command);
  const others = ['quit', 'qom-set', 'human-monitor-command', 'cont', 'device_add', 'aquery-x', 'object-add', ''];
  for (const command of others) assert.equal(isQmpQuery(command), false, command);
});

test('of the human monitor only those commands pass that look', () => {
  for (const line of ['info status', 'info', 'help', 'help info', '? info', 'print/x 1', 'p $pc']) {
    assert.equal(isHmpQuery(line), true, line);
  }
  for (const line of ['quit', 'xp /1x 0', 'x /1x 0', 'information', 'pmemsave 0 1 f', 'o /2 0x604 0x2000', '']) {
    assert.equal(isHmpQuery(line), false, line);
  }
});
