export type { FakeCall, FakeCommand, FakeConnection } from './fake-connection.ts';
export { type FakeQmpOptions, FakeQmpServer } from './fake-qmp-server.ts';
export { FakeRefusal, NO_ANSWER } from './fake-refusal.ts';
