import { QemuError } from '../../base/errors.ts';

/** A member of an object type. */
export interface SchemaMember {
  readonly name: string;
  readonly type: string;
  readonly isOptional: boolean;
  readonly features: readonly string[];
}

/** One entry of the answer to `query-qmp-schema` (QEMU documentation, "QAPI client introspection"). */
export type SchemaEntry =
  | {
      readonly kind: 'command';
      readonly name: string;
      readonly argumentType: string;
      readonly returnType: string;
      readonly allowsOutOfBand: boolean;
      readonly features: readonly string[];
    }
  | {
      readonly kind: 'event';
      readonly name: string;
      readonly dataType: string;
      readonly features: readonly string[];
    }
  | {
      readonly kind: 'object';
      readonly name: string;
      readonly members: readonly SchemaMember[];
      /** The member that says which of `variants` holds; undefined for an object without variants. */
      readonly tag: string | undefined;
      readonly variants: readonly { readonly value: string; readonly type: string }[];
    }
  | { readonly kind: 'array'; readonly name: string; readonly elementType: string }
  | {
      readonly kind: 'enum';
      readonly name: string;
      readonly values: readonly { readonly name: string; readonly features: readonly string[] }[];
    }
  | { readonly kind: 'alternate'; readonly name: string; readonly types: readonly string[] }
  | { readonly kind: 'builtin'; readonly name: string; readonly jsonType: string };

/** An entry of one kind. */
export type SchemaOf<Kind extends SchemaEntry['kind']> = Extract<SchemaEntry, { kind: Kind }>;

/** The schema with its types by name. */
export interface Schema {
  readonly commands: readonly SchemaOf<'command'>[];
  readonly events: readonly SchemaOf<'event'>[];
  /** @throws {QemuError} QEMU_QMP_PROTOCOL when there is no such type. */
  findType(name: string): Exclude<SchemaEntry, { kind: 'command' | 'event' }>;
}

/**
 * Reads the answer to `query-qmp-schema`; commands and events come sorted by name.
 *
 * @throws {QemuError} QEMU_QMP_PROTOCOL when it is no such answer. Kinds of entries that QEMU may add are left out.
 */
export function readSchema(answer: unknown): Schema {
  const entries = listOf(answer).map(readEntry);
  const types = new Map<string, Exclude<SchemaEntry, { kind: 'command' | 'event' }>>();
  const commands: SchemaOf<'command'>[] = [];
  const events: SchemaOf<'event'>[] = [];
  for (const entry of entries) {
    if (entry === undefined) continue;
    if (entry.kind === 'command') commands.push(entry);
    else if (entry.kind === 'event') events.push(entry);
    else types.set(entry.name, entry);
  }
  return {
    commands: commands.toSorted(byName),
    events: events.toSorted(byName),
    findType: (name) => types.get(name) ?? fail(`a type "${name}" that it does not explain`),
  };
}

/** Orders by code units, so that the order is the same under every locale. */
export function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  if (one.name === other.name) return 0;
  return one.name < other.name ? -1 : 1;
}

function readEntry(value: unknown): SchemaEntry | undefined {
  const entry = recordOf(value);
  const name = textOf(entry['name']);
  const features = featuresOf(entry);
  switch (entry['meta-type']) {
    case 'command': {
      const [argumentType, returnType] = [textOf(entry['arg-type']), textOf(entry['ret-type'])];
      return {
        kind: 'command',
        name,
        argumentType,
        returnType,
        allowsOutOfBand: entry['allow-oob'] === true,
        features,
      };
    }
    case 'event':
      return { kind: 'event', name, dataType: textOf(entry['arg-type']), features };
    case 'object':
      return {
        kind: 'object',
        name,
        members: listOf(entry['members']).map(readMember),
        tag: entry['tag'] === undefined ? undefined : textOf(entry['tag']),
        variants: listOf(entry['variants'] ?? []).map((variant) => {
          const { case: tagValue, type } = recordOf(variant);
          return { value: textOf(tagValue), type: textOf(type) };
        }),
      };
    case 'array':
      return { kind: 'array', name, elementType: textOf(entry['element-type']) };
    case 'enum':
      return { kind: 'enum', name, values: readEnumValues(entry) };
    case 'alternate':
      return {
        kind: 'alternate',
        name,
        types: listOf(entry['members']).map((member) => textOf(recordOf(member)['type'])),
      };
    case 'builtin':
      return { kind: 'builtin', name, jsonType: textOf(entry['json-type']) };
    default:
      return undefined;
  }
}

function readMember(value: unknown): SchemaMember {
  const member = recordOf(value);
  return {
    name: textOf(member['name']),
    type: textOf(member['type']),
    // Its value is always null: the schema tells that there is a default, not which.
    isOptional: 'default' in member,
    features: featuresOf(member),
  };
}

/** QEMU has `members` since 6.2, and `values` for those who do not know it. */
function readEnumValues(entry: Readonly<Record<string, unknown>>): SchemaOf<'enum'>['values'] {
  if (entry['members'] === undefined)
    return listOf(entry['values']).map((name) => ({ name: textOf(name), features: [] }));
  return listOf(entry['members']).map((value) => {
    const member = recordOf(value);
    return { name: textOf(member['name']), features: featuresOf(member) };
  });
}

function featuresOf(entry: Readonly<Record<string, unknown>>): readonly string[] {
  return listOf(entry['features'] ?? []).map(textOf);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : fail('something else where a list belongs');
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail('something that is no entry');
  return value as Readonly<Record<string, unknown>>;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : fail('something else where a name belongs');
}

function fail(what: string): never {
  throw new QemuError('QEMU_QMP_PROTOCOL', `Answer to "query-qmp-schema" has ${what}`);
}
