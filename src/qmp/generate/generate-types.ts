import { renderDoc, renderExtendedUnion, renderKey, renderMember, renderText, renderUnion } from './layout.ts';
import { readSchema, type Schema, type SchemaMember, type SchemaOf } from './schema.ts';
import { type Direction, isEmptyObject, type NamedType, TypeNames } from './type-names.ts';

/** Text for the header of generated types. */
export interface GenerateTypesOptions {
  /** The QEMU whose schema it is, for instance `7.2.22 (Debian 1:7.2+dfsg-7)`. */
  readonly version: string;
}

const RESERVED = ['QmpCommands', 'QmpEvents', 'NoArguments', 'EmptyResult', 'OtherValue'];

/** Its schema shows three members; the properties of the device come besides (QEMU documentation, "device_add"). */
const COMMANDS_WITH_OPEN_ARGUMENTS: readonly string[] = ['device_add'];

/**
 * TypeScript types for all commands and events of a QEMU, from its answer to `query-qmp-schema`. The text is a module
 * that exports the interfaces `QmpCommands` and `QmpEvents`, as {@link QmpClient} takes them.
 *
 * @throws {QemuError} QEMU_QMP_PROTOCOL when the schema is none.
 */
export function generateTypes(answer: unknown, options: GenerateTypesOptions): string {
  const schema = readSchema(answer);
  const writer = new TypeWriter(schema);
  return [renderHeader(options.version), writer.commands(), writer.events(), HELPERS, ...writer.types()].join('\n');
}

function renderHeader(version: string): string {
  return `/*
 * QMP commands and events of QEMU ${version},
 * made from its answer to \`query-qmp-schema\`. Do not edit: \`qemu-init qmp-types\` makes such a file anew.
 *
 * Types are named after the place where they are first met. Arguments are closed: a member or value that this QEMU does
 * not know is an error. Answers and events are open: other versions add members and values. An integer that a number
 * cannot hold exactly is a bigint at run time.
 */
`;
}

const HELPERS = `/** For a command without arguments. */
export type NoArguments = Readonly<Record<string, never>>;

/** What a command answers that only says that it is done. */
export type EmptyResult = Readonly<Record<string, unknown>>;

declare const other: unique symbol;

/** A value of a tag that this QEMU did not have; a string at run time. */
export interface OtherValue {
  readonly [other]: string;
  toString(): string;
}
`;

/** Writes the types of one schema. */
class TypeWriter {
  readonly #schema: Schema;
  readonly #names: TypeNames;

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#names = new TypeNames(schema, RESERVED);
  }

  commands(): string {
    const members = this.#schema.commands.map((command) => {
      const { name, argumentType, returnType } = command;
      const notes = command.allowsOutOfBand ? ['May be executed out of band.'] : [];
      const isOpen = COMMANDS_WITH_OPEN_ARGUMENTS.includes(name);
      const args = this.#reference(argumentType, 'sent') + (isOpen ? ' & Readonly<Record<string, unknown>>' : '');
      const body = `{ arguments: ${args}; returns: ${this.#reference(returnType, 'received')} }`;
      return renderDoc(command.features, '  ', notes) + renderMember(`${renderKey(name)}: ${body};`, '  ');
    });
    return `/** Commands with the types of their arguments and answers. */\nexport interface QmpCommands {\n${members.join('')}}\n`;
  }

  events(): string {
    const members = this.#schema.events.map(({ name, dataType, features }) => {
      return `${renderDoc(features, '  ')}  ${renderKey(name)}: ${this.#reference(dataType, 'received')};\n`;
    });
    return `/** Events with the types of their data. */\nexport interface QmpEvents {\n${members.join('')}}\n`;
  }

  types(): string[] {
    return this.#names.all().map((named) => this.#declaration(named));
  }

  #declaration({ name, direction, type }: NamedType): string {
    switch (type.kind) {
      case 'enum':
        return this.#enumeration(name, type, direction);
      case 'alternate':
        return renderUnion(name, unique(type.types.map((part) => this.#reference(part, direction))));
      case 'object':
        return type.tag === undefined
          ? this.#interface(name, type.members, direction)
          : this.#union(name, type, direction);
      default:
        return type satisfies never;
    }
  }

  #enumeration(name: string, type: SchemaOf<'enum'>, direction: Direction): string {
    const notes = ['deprecated', 'unstable'].flatMap((feature) => {
      const values = type.values
        .filter(({ features }) => features.includes(feature))
        .map((value) => `\`${value.name}\``);
      return values.length === 0
        ? []
        : [`${feature === 'deprecated' ? 'Deprecated' : 'Unstable'}: ${values.join(', ')}.`];
    });
    const values = type.values.map((value) => renderText(value.name));
    if (direction === 'received') values.push('(string & {})');
    return renderDoc([], '', notes) + renderUnion(name, values);
  }

  #interface(name: string, members: readonly SchemaMember[], direction: Direction): string {
    return `export interface ${name} {\n${members.map((member) => this.#member(member, direction)).join('')}}\n`;
  }

  /** An object whose tag decides what else it has. */
  #union(name: string, type: SchemaOf<'object'>, direction: Direction): string {
    const { tag = '' } = type;
    const common = type.members.filter((member) => member.name !== tag);
    const base = common.length === 0 ? '' : `${name}Base`;
    const cases = this.#cases(type, tag, direction);
    if (direction === 'received') cases.push(`{ readonly ${renderKey(tag)}: OtherValue }`);
    if (base === '') return renderUnion(name, cases);
    return `${this.#interface(base, common, direction)}\n${renderExtendedUnion(name, base, cases)}`;
  }

  #cases(type: SchemaOf<'object'>, tag: string, direction: Direction): string[] {
    const variants = this.#allVariants(type, tag);
    return variants.map(({ value, type: variantType }) => {
      const reference = this.#variantReference(variantType, direction);
      const part = `{ readonly ${renderKey(tag)}: ${renderText(value)} }`;
      if (reference === '') return part;
      return variants.length === 1 ? `${part} & ${reference}` : `(${part} & ${reference})`;
    });
  }

  /** The variants, and the values of the tag that have none. */
  #allVariants(type: SchemaOf<'object'>, tag: string): { readonly value: string; readonly type: string | undefined }[] {
    const tagType = this.#schema.findType(type.members.find((member) => member.name === tag)?.type ?? '');
    const listed = new Set(type.variants.map(({ value }) => value));
    const values = tagType.kind === 'enum' ? tagType.values.map(({ name }) => name) : [];
    const others = values.filter((value) => !listed.has(value)).map((value) => ({ value, type: undefined }));
    return [...type.variants, ...others];
  }

  #variantReference(typeName: string | undefined, direction: Direction): string {
    if (typeName === undefined) return '';
    const type = this.#schema.findType(typeName);
    return type.kind === 'object' && isEmptyObject(type) ? '' : this.#reference(typeName, direction);
  }

  #member({ name, type, isOptional, features }: SchemaMember, direction: Direction): string {
    const reference = this.#reference(type, direction);
    const optional =
      isOptional && direction === 'sent' && reference !== 'unknown' ? `${reference} | undefined` : reference;
    return `${renderDoc(features, '  ')}  readonly ${renderKey(name)}${isOptional ? '?' : ''}: ${optional};\n`;
  }

  /** How a type is written where it is used. */
  #reference(typeName: string, direction: Direction): string {
    const type = this.#schema.findType(typeName);
    switch (type.kind) {
      case 'builtin':
        return renderBuiltin(type.jsonType, direction);
      case 'array': {
        const element = this.#reference(type.elementType, direction);
        return element.includes(' ') ? `readonly (${element})[]` : `readonly ${element}[]`;
      }
      case 'object':
        if (isEmptyObject(type)) return direction === 'sent' ? 'NoArguments' : 'EmptyResult';
        return this.#names.find(typeName, direction) ?? 'unknown';
      default:
        return this.#names.find(typeName, direction) ?? 'unknown';
    }
  }
}

function renderBuiltin(jsonType: string, direction: Direction): string {
  switch (jsonType) {
    case 'string':
    case 'boolean':
    case 'number':
    case 'null':
      return jsonType;
    case 'int':
      return direction === 'sent' ? 'number | bigint' : 'number';
    case 'object':
      return 'Readonly<Record<string, unknown>>';
    case 'array':
      return 'readonly unknown[]';
    default:
      return 'unknown';
  }
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
