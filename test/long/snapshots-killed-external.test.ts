import { testKilled } from '../support/killed-snapshots.ts';

testKilled({ how: ['--external'], verb: 'revert' });
testKilled({ how: ['--external'], verb: 'delete' });
testKilled({ how: ['--external'], verb: 'delete', isStopped: true });
