import { DEFINITIONS } from '../support/definitions/all.ts';
import { testDefinitions } from './imported.ts';
import { enterOwnNamespace } from './own-namespace.ts';

await enterOwnNamespace();

/** All are tried by the tier "long". */
const EVERY = 9;

testDefinitions(
  DEFINITIONS.filter((_, at) => at % EVERY === 0),
  { name: 'QEMU' },
);
