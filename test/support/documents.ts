import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { repoRoot } from './repo.ts';

const folder = join(repoRoot, 'schemas');

/** Actions whose document has not the name of the action. */
const SCHEMA_OF: Readonly<Record<string, string>> = {
  kill: 'stop',
  'try-restart': 'restart',
  'force-reload': 'restart',
  register: 'registration',
  unregister: 'registration',
  enable: 'autostart',
  disable: 'autostart',
  pause: 'state-change',
  resume: 'state-change',
  reset: 'state-change',
  wake: 'state-change',
  'exit-preconfig': 'state-change',
  detach: 'attach',
  uninstall: 'install',
  insert: 'disc',
  eject: 'disc',
  'image-list': 'image',
  'image-pull': 'image',
  'image-verify': 'image',
  'image-remove': 'image',
  up: 'tap',
  down: 'tap',
  'bridge-show': 'bridges',
  'bridge-add': 'bridge-change',
  'bridge-del': 'bridge-change',
  'jobs-cancel': 'job-change',
  'jobs-resume': 'job-resume',
  'disk-list': 'disk',
  'disk-mirror': 'disk-move',
  'disk-convert': 'disk-move',
  'disk-commit': 'disk-move',
};

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
const names = readdirSync(folder).map((file) => file.replace('.schema.json', ''));
for (const name of names) ajv.addSchema(JSON.parse(readFileSync(join(folder, `${name}.schema.json`), 'utf8')));

/** Fails when a value is not what a document says of a failure. */
export function assertError(value: unknown): void {
  validate('common.schema.json#/$defs/error', value);
}

/** Fails when a document does not consist of failures alone, as that of an action which prints no other. */
export function assertFailures(document: unknown): void {
  assert.ok(Array.isArray(document) && document.length > 0, 'it is an array of failures');
  for (const each of document) validate('common.schema.json#/$defs/failure', each);
}

/** Names of all schemas of the package but the one that the others refer to. */
export const SCHEMAS: readonly string[] = names.filter((name) => name !== 'common');

/** Name of the schema of what an action prints. */
export function schemaOf(action: string): string {
  return SCHEMA_OF[action] ?? action;
}

/** Fails when what `--json` printed is not as the schema of that name, or of the action, says. */
export function assertDocument(document: unknown, action: string): void {
  validate(`${schemaOf(action)}.schema.json`, document);
}

function validate(schema: string, value: unknown): void {
  const check = ajv.getSchema(schema);
  assert.ok(check, `there is no schema "${schema}"`);
  assert.ok(check(value), `${schema}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(value)}`);
}
