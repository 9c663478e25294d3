/**
 * Expressions of a mapping: CEL, the Common Expression Language (github.com/google/cel-spec), without what could cost
 * more than its length. CEL has no loops of its own and reaches own fields of plain values only; here regular
 * expressions, splitting and lists within lists are left out too, so that the work grows with the values alone.
 */
import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import { InputError } from './errors.ts';

const LENGTH_MAX = 1_000;
/** Values of one field that an expression looks at; a person has some dozens of addresses at most. */
const ELEMENTS_MAX = 1_000;
/** Bounds a field that is looked at, and what may be built of fields. */
const TEXT_MAX = 10_000;

/** The whole record under one name, for fields whose names are no identifiers: `source["Cost centre"]`. */
const WHOLE = 'source';
/** No value, where both ends of a condition must be of one type: `isStaff ? "yes" : none`. */
const NONE = 'none';

const MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);
const FUNCTIONS: ReadonlySet<string> = new Set([
  ...MACROS,
  ...['size', 'has', 'string', 'int', 'double', 'bool', 'dyn', 'startsWith', 'endsWith', 'contains', 'indexOf'],
  ...['lastIndexOf', 'substring', 'trim', 'lowerAscii', 'upperAscii'],
  ...['first', 'joined', 'lower', 'upper', 'replace', 'part', 'text'],
]);

export interface Expression {
  /** Names of the fields it looks at, each once. */
  readonly reads: readonly string[];
  /**
   * Its value for a record: plain JSON, null for none.
   * @throws {InputError} `expression-failed`, saying why
   */
  evaluate(record: Readonly<Record<string, unknown>>): unknown;
}

/** @throws {InputError} `expression-wrong`, in one sentence */
export function compileExpression(text: string): Expression {
  if (text.length > LENGTH_MAX) throw wrong(`it is longer than ${LENGTH_MAX} characters`);
  const program = parse(text);
  const reads = new Set<string>();
  look(program.ast, { bound: new Set(), inMacro: false, reads });
  const { valid, error } = program.check();
  if (!valid) throw wrong(firstLine(error));
  const names = [...reads];
  return {
    reads: names,
    evaluate(record) {
      try {
        return small(toJson(program(fieldsOf(record, names))));
      } catch (error) {
        throw new InputError(`The expression has no value here: ${firstLine(error)}.`, {
          reason: 'expression-failed',
          cause: error,
        });
      }
    },
  };
}

const environment = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 300, maxDepth: 32, maxListElements: 50, maxMapEntries: 50, maxCallArguments: 10 },
})
  .registerVariable(NONE, 'dyn')
  .registerVariable(WHOLE, 'map')
  .registerFunction('first(list): dyn', (values: readonly unknown[]) => values.find(isGiven) ?? null)
  .registerFunction('joined(list, string): string', (values: readonly unknown[], separator: string) =>
    glued(values.filter(isGiven).map(String), separator),
  )
  .registerFunction('text(dyn): string', (value: unknown) => (isGiven(value) ? String(value) : ''))
  .registerFunction('lower(dyn): dyn', (value: unknown) => (typeof value === 'string' ? value.toLowerCase() : null))
  .registerFunction('upper(dyn): dyn', (value: unknown) => (typeof value === 'string' ? value.toUpperCase() : null))
  .registerFunction('replace(dyn, string, string): dyn', (value: unknown, what: string, by: string) =>
    typeof value === 'string' && what !== '' ? glued(value.split(what), by) : value,
  )
  .registerFunction('part(dyn, string, int): dyn', (value: unknown, separator: string, index: bigint) =>
    typeof value === 'string' && separator !== '' ? (value.split(separator).at(Number(index)) ?? null) : null,
  );

function parse(text: string): ParseResult {
  try {
    return environment.parse(text);
  } catch (error) {
    throw wrong(firstLine(error));
  }
}

interface Node {
  readonly op: string;
  readonly args: unknown;
}

interface Looking {
  /** Names that a macro of the expression binds: no fields. */
  readonly bound: ReadonlySet<string>;
  readonly inMacro: boolean;
  readonly reads: Set<string>;
}

/** Notes the fields that are read. @throws {InputError} a function that is not offered, or a list within a list */
function look(node: Node, looking: Looking): void {
  const { op, args } = node;
  if (op === 'id') {
    if (!looking.bound.has(String(args))) lookAtName(String(args), looking);
    return;
  }
  if (op === '[]' && isWhole(node)) {
    const [, key] = args as readonly [Node, Node];
    if (key.op !== 'value' || typeof key.args !== 'string') throw wrong(`write the field in quotes: ${WHOLE}["name"]`);
    looking.reads.add(key.args);
    return;
  }
  if (op === '.' && isWhole(node)) throw wrong(`write ${WHOLE}["name"], or the name of the field alone`);
  if (op === 'call' || op === 'rcall') lookAtCall(args as readonly unknown[], op, looking);
  else for (const inner of nodesIn(args)) look(inner, looking);
}

function isWhole({ args }: Node): boolean {
  const [holder] = nodesIn(args);
  return holder?.op === 'id' && holder.args === WHOLE;
}

function lookAtName(name: string, { reads }: Looking): void {
  if (name === NONE) return;
  if (name === WHOLE) throw wrong(`write ${WHOLE}["name"] with the name of one field`);
  if (name === 'cel' || name === 'google') throw wrong(`"${name}" is not offered`);
  reads.add(name);
}

function lookAtCall(args: readonly unknown[], op: string, looking: Looking): void {
  const name = String(args[0]);
  if (!FUNCTIONS.has(name)) throw wrong(`there is no function "${name.slice(0, 40)}"`);
  const given = nodesIn(args.slice(1));
  if (op === 'call' || !MACROS.has(name)) {
    for (const inner of given) look(inner, looking);
    return;
  }
  if (looking.inMacro) throw wrong(`"${name}" cannot stand inside another ${[...MACROS].join(', ')}`);
  const [receiver, variable, ...rest] = given;
  if (receiver !== undefined) look(receiver, looking);
  const bound = variable?.op === 'id' ? new Set([...looking.bound, String(variable.args)]) : looking.bound;
  for (const inner of rest) look(inner, { ...looking, bound, inMacro: true });
}

/** The nodes in a node's arguments, in order, however deep its lists go. */
function nodesIn(args: unknown): Node[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn);
  return typeof args === 'object' && args !== null && 'op' in args ? [args as Node] : [];
}

/** Only what is read, under names that inherit nothing; null where the record has no such field of its own. */
function fieldsOf(record: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null);
  for (const name of names) {
    const value = Object.hasOwn(record, name) ? record[name] : undefined;
    if (typeof value === 'string') bounded(value);
    fields[name] = Array.isArray(value) ? value.slice(0, ELEMENTS_MAX) : (value ?? null);
  }
  return { ...fields, [NONE]: null, [WHOLE]: new Map(Object.entries(fields)) };
}

function toJson(value: unknown): unknown {
  if (typeof value === 'string') return bounded(value);
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map(toJson);
  const entries = value instanceof Map ? [...value] : isPlain(value) ? Object.entries(value) : undefined;
  if (entries !== undefined) return Object.fromEntries(entries.map(([key, inner]) => [String(key), toJson(inner)]));
  throw new Error('the value is neither a text, a number, true or false, nor a list or map of them');
}

function isPlain(value: unknown): value is object {
  const prototype = typeof value === 'object' && value !== null ? Object.getPrototypeOf(value) : undefined;
  return prototype === null || prototype === Object.prototype;
}

function bounded(text: string): string {
  if (text.length > TEXT_MAX) throw new Error(`a text is longer than ${TEXT_MAX} characters`);
  return text;
}

/** A list or a map that is no larger than ten texts may be. */
function small(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && JSON.stringify(value).length > 10 * TEXT_MAX)
    throw new Error(`the value is longer than ${10 * TEXT_MAX} characters`);
  return value;
}

/** Refuses before it builds. */
function glued(pieces: readonly string[], separator: string): string {
  const length = pieces.reduce((sum, piece) => sum + piece.length + separator.length, 0);
  if (length > TEXT_MAX + separator.length) throw new Error(`a text is longer than ${TEXT_MAX} characters`);
  return pieces.join(separator);
}

function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '';
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : 'it cannot be read';
  return (text.split('\n')[0] ?? '').replace(/\.$/, '').slice(0, 200);
}

function wrong(why: string): InputError {
  return new InputError(`The expression cannot be used: ${why}.`, {
    reason: 'expression-wrong',
    remedy: 'Correct the expression; docs/mapping.md lists what it may hold.',
  });
}
