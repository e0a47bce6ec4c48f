import { test } from 'node:test';
import { settlesWith } from '../support/any-command.ts';

test('a guest that waits for a killed command goes on with the next one, even if that is not about its disks', async (t) => {
  await settlesWith(t, [
    { words: ['events'] },
    { words: ['doctor'] },
    { words: ['register', 'web'] },
    { words: ['backup', 'list', 'DIR'] },
    { words: ['restore', 'DIR', 'web'] },
    { tool: 'qemu-mon', words: ['web'] },
    { tool: 'qemu-mon', words: ['--events', 'web'] },
    { tool: 'qemu-cmd', words: ['-q', 'query-status', 'web'] },
  ]);
});
