// Two people changed the same settings: where they differ, and the two made into one.

type Fields = Readonly<Record<string, unknown>>;

/** A field that they changed, and not to what mine is. */
export interface Apart {
  readonly path: string;
  readonly mine: unknown;
  readonly theirs: unknown;
  /** Mine is as it was when both began: theirs is the likely one. */
  readonly onlyTheirs: boolean;
}

/**
 * Every field in which theirs goes against mine, in the order of mine; what only I changed is no question. A list is one
 * field; nothing, an empty text and null are the same.
 */
export function apart(base: object, mine: object, theirs: object): readonly Apart[] {
  return below('', base as Fields, mine as Fields, theirs as Fields);
}

function below(before: string, base: Fields, mine: Fields, theirs: Fields): readonly Apart[] {
  const names = [...new Set([...Object.keys(mine), ...Object.keys(theirs)])];
  return names.flatMap((name) => {
    const path = `${before}${name}`;
    const [was, my, their] = [base[name], mine[name], theirs[name]];
    if (isFields(my) && isFields(their)) return below(`${path}.`, isFields(was) ? was : {}, my, their);
    if (isSame(my, their) || isSame(their, was)) return [];
    return [{ path, mine: my, theirs: their, onlyTheirs: isSame(my, was) }];
  });
}

/** Mine, with theirs at these paths. */
export function merged<Value extends object>(mine: Value, taken: readonly Apart[]): Value {
  return taken.reduce((value, { path, theirs }) => withField(value as Fields, path.split('.'), theirs) as Value, mine);
}

function withField(fields: Fields, [name = '', ...rest]: readonly string[], value: unknown): Fields {
  if (rest.length > 0) return { ...fields, [name]: withField((fields[name] ?? {}) as Fields, rest, value) };
  const { [name]: _mine, ...others } = fields;
  return value === undefined ? others : { ...fields, [name]: value };
}

export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(plain(one)) === JSON.stringify(plain(other));
}

function plain(value: unknown): unknown {
  if (value === undefined || value === '') return null;
  if (!isFields(value)) return value;
  const names = Object.keys(value).filter((name) => plain(value[name]) !== null);
  return Object.fromEntries(names.sort().map((name) => [name, plain(value[name])]));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
