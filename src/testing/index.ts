export { type FakeCall, type FakeCommand, FakeRefusal, NO_ANSWER } from './fake-call.ts';
export type { FakeConnection } from './fake-connection.ts';
export { type FakeQmpOptions, FakeQmpServer } from './fake-qmp-server.ts';
