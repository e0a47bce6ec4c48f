import { byName, type Schema, type SchemaEntry } from './schema.ts';

/** Which way a value goes: to QEMU in arguments, or from QEMU in answers and events. */
export type Direction = 'sent' | 'received';

/** A type that gets its own name. */
export interface NamedType {
  readonly name: string;
  readonly direction: Direction;
  readonly type: Extract<SchemaEntry, { kind: 'object' | 'enum' | 'alternate' }>;
}

/**
 * Names for the types of a schema. QEMU hides its own (they are numbers that change from build to build), so each is named
 * after the place where it is first met: `QueryBlockResult`, `QueryBlockResultInserted`, … Commands come before events,
 * each sorted by name, members too, and shallow places before deep ones: a new command leaves most names alone.
 *
 * A type that is both sent and received gets two names, because arguments are closed and answers are open.
 */
export class TypeNames {
  readonly #schema: Schema;
  readonly #byKey = new Map<string, NamedType>();
  readonly #taken = new Set<string>();
  readonly #queue: { readonly typeName: string; readonly direction: Direction; readonly suggestion: string }[] = [];

  /** @param reserved names that no type may get. */
  constructor(schema: Schema, reserved: readonly string[]) {
    this.#schema = schema;
    for (const name of reserved) this.#taken.add(name);
    for (const { name, argumentType, returnType } of schema.commands) {
      this.#visit(argumentType, 'sent', `${pascalCase(name)}Arguments`);
      this.#visit(returnType, 'received', `${pascalCase(name)}Result`);
    }
    for (const { name, dataType } of schema.events) {
      this.#visit(dataType, 'received', `${pascalCase(name.toLowerCase())}Event`);
    }
  }

  /** All named types, in the order in which they were met. */
  all(): readonly NamedType[] {
    return [...this.#byKey.values()];
  }

  /** The name of a type, or undefined for one that is written in place. */
  find(typeName: string, direction: Direction): string | undefined {
    return this.#byKey.get(`${direction} ${typeName}`)?.name;
  }

  #visit(typeName: string, direction: Direction, suggestion: string): void {
    this.#queue.push({ typeName, direction, suggestion });
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#meet(next.typeName, next.direction, next.suggestion);
    }
  }

  #meet(typeName: string, direction: Direction, suggestion: string): void {
    const type = this.#schema.findType(typeName);
    const key = `${direction} ${typeName}`;
    if (type.kind === 'builtin' || this.#byKey.has(key)) return;
    if (type.kind === 'array') {
      this.#queue.push({ typeName: type.elementType, direction, suggestion });
      return;
    }
    if (type.kind === 'object' && isEmptyObject(type)) return;
    const name = this.#claim(suggestion);
    this.#byKey.set(key, { name, direction, type });
    const follow = (part: string, typeOfPart: string): void => {
      this.#queue.push({ typeName: typeOfPart, direction, suggestion: name + pascalCase(part) });
    };
    if (type.kind === 'alternate') {
      for (const part of type.types) follow(this.#schema.findType(part).kind, part);
    } else if (type.kind === 'object') {
      for (const member of type.members.toSorted(byName)) follow(member.name, member.type);
      for (const variant of type.variants) follow(variant.value, variant.type);
    }
  }

  #claim(suggestion: string): string {
    let name = suggestion;
    for (let n = 2; this.#taken.has(name); n += 1) name = `${suggestion}${n}`;
    this.#taken.add(name);
    return name;
  }
}

/** Whether an object has nothing in it. */
export function isEmptyObject(type: Extract<SchemaEntry, { kind: 'object' }>): boolean {
  return type.members.length === 0 && type.variants.length === 0;
}

function pascalCase(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
