import { testKilled } from '../support/killed-snapshots.ts';

testKilled({ how: [], verb: 'revert' });
testKilled({ how: [], verb: 'delete' });
testKilled({ how: ['--memory'], verb: 'revert' });
