// A filter tree as a where clause on `resources r`. Equality goes through the GIN index on `search`, names and times
// through columns, members and groups through the membership table. Nothing is ever filtered in memory.

import { type Attribute, type Resolved, type ResourceSchema, resolve, resolveInFilter } from '#core/attributes.ts';
import { InputError } from '#core/errors.ts';
import type { AttributePath, Filter, Literal, Operator } from '#core/filter.ts';
import { isUuid } from '#core/ids.ts';
import { EVERY_ORIGIN } from '#core/resource.ts';
import { foldCase, isCaseExact } from '#core/search.ts';
import { memberSeen, seen, type Visible } from './served.ts';
import { Statement, type Where } from './statement.ts';

export interface FilterOptions {
  /** How many values the statement has before this clause. */
  readonly from?: number;
  readonly visible?: Visible | undefined;
  /** For lists of several types: an attribute that this type does not have is one without a value. */
  readonly lenient?: boolean;
}

/** @throws {InputError} `invalidFilter`: an unknown attribute, or a comparison that its type does not have */
export function compileFilter(filter: Filter, schema: ResourceSchema, options: FilterOptions = {}): Where {
  const compiler = new Compiler(schema, options);
  return { text: compiler.filter(filter), values: compiler.statement.values };
}

type Compare = Extract<Filter, { kind: 'compare' }>;

class Compiler {
  readonly statement: Statement;
  private readonly schema: ResourceSchema;
  private readonly visible: Visible | undefined;
  private readonly lenient: boolean;
  private aliases = 0;

  constructor(schema: ResourceSchema, { from = 0, visible, lenient = false }: FilterOptions) {
    this.schema = schema;
    this.statement = new Statement(from);
    this.visible = visible;
    this.lenient = lenient;
  }

  filter(filter: Filter): string {
    switch (filter.kind) {
      case 'and':
      case 'or':
        return `(${filter.terms.map((term) => this.filter(term)).join(` ${filter.kind} `)})`;
      case 'not':
        return `not ${this.filter(filter.term)}`;
      case 'present':
        return this.has(filter.path) ? this.present(filter.path) : 'false';
      case 'element':
        return this.has(filter.path) ? this.element(filter.path, filter.filter) : 'false';
      case 'compare':
        return this.has(filter.path) ? this.compare(filter) : String(isFulfilledByNone(filter));
    }
  }

  private has(path: AttributePath): boolean {
    return !this.lenient || resolve(this.schema, path) !== undefined;
  }

  private bind(value: unknown): string {
    return this.statement.bind(value);
  }

  private present(path: AttributePath): string {
    const resolved = resolveInFilter(this.schema, path);
    const { attribute, sub } = resolved;
    if (attribute.name === 'id' || attribute.name === 'meta' || attribute.name === 'schemas') return 'true';
    if (attribute.name === 'externalId') return `${EXTERNAL_ID} is not null`;
    if (isManagerPlace(resolved)) return 'r.manager_id is not null';
    if (isRelation(attribute)) return this.related(attribute.name, undefined);
    if (attribute.multiValued && sub !== undefined) {
      const element = this.alias();
      return `exists (select 1 from ${elements(jsonPath(resolved), element)} where (${element} -> ${this.bind(sub.name)}) is not null)`;
    }
    return `(r.search #> ${this.bind(keys(resolved))}::text[]) is not null`;
  }

  private compare({ path, operator, value }: Compare): string {
    const resolved = resolveInFilter(this.schema, path);
    const { attribute, sub, extension } = resolved;
    if (value === null) {
      checkAgainstNull(operator, path);
      const present = this.present(path);
      return operator === 'eq' ? `not ${present}` : present;
    }
    if (attribute.type === 'complex' && sub === undefined && !attribute.sub.has('value')) throw unfit(path, operator);
    if (isManagerPlace(resolved)) return this.managerPlace(operator, stringOf(value, path, operator));
    if (extension === undefined) {
      const column = this.column(resolved, operator, value, path);
      if (column !== undefined) return column;
    }
    return this.json(resolved, operator, value, path);
  }

  /** Attributes that have a column, or a table, of their own. */
  private column(
    { attribute, sub }: Resolved,
    operator: Operator,
    value: Literal,
    path: AttributePath,
  ): string | undefined {
    const { resourceType } = this.schema;
    const name = sub === undefined ? attribute.name : `${attribute.name}.${sub.name}`;
    const text = (): string => stringOf(value, path, operator);
    switch (name) {
      case 'id':
        return this.exactUuid('r.id', operator, text());
      case 'externalId':
        // The origins are all there are: named, so that the index on origin and external id serves.
        return operator === 'eq'
          ? `(r.external_id is not null and r.origin = any('${EVERY_ORIGIN}') and r.external_id = ${this.bind(text())} and ${EXTERNAL_ID} is not null)`
          : this.text(EXTERNAL_ID, operator, text());
      case 'active':
        return this.truth('r.active', operator, booleanOf(value, path, operator), path);
      case 'meta.created':
        return this.time('r.created_at', operator, text(), path);
      case 'meta.lastModified':
        return this.time('r.updated_at', operator, text(), path);
      case 'meta.resourceType':
        return this.text(`'${resourceType}'::text`, operator, text());
      case 'meta.version':
        return this.text(`('W/"' || r.version || '"')`, operator, text());
      case 'meta.location':
        return this.uuid('r.id', operator, text().slice(text().lastIndexOf('/') + 1));
      case resourceType === 'User' ? 'userName' : 'displayName':
        return this.text('r.name_key', operator, foldCase(text()));
      default:
        return this.relation(name, operator, value, path);
    }
  }

  private managerPlace(operator: Operator, text: string): string {
    const place = this.uuid('r.manager_id', operator, foldCase(text.slice(text.lastIndexOf('/') + 1)));
    return operator === 'ne' ? `(r.manager_id is null or ${place})` : `(r.manager_id is not null and ${place})`;
  }

  private relation(name: string, operator: Operator, value: Literal, path: AttributePath): string | undefined {
    const [of, sub = 'value'] = name.split('.');
    if (of !== 'members' && of !== 'groups') return undefined;
    const term: Compare = { kind: 'compare', path: { attribute: sub }, operator, value };
    stringOf(value, path, operator);
    const exists = this.related(of, term);
    return operator === 'ne' ? `(${exists} or not ${this.related(of, undefined)})` : exists;
  }

  /** Whether there is a member, or a group, that the filter chooses; without a filter, any that is seen. */
  private related(of: 'members' | 'groups', filter: Filter | undefined): string {
    if (of === 'members') {
      const chosen = filter === undefined ? 'true' : this.chosen(of, filter);
      return `exists (select 1 from group_members gm where gm.group_id = r.id and ${memberSeen(this.statement, this.visible)} and ${chosen})`;
    }
    if (filter === undefined && this.visible === undefined)
      return 'exists (select 1 from group_members gm where gm.member_id = r.id)';
    return this.inGroups(filter);
  }

  /**
   * Who is in a chosen group, down through nested ones. The recursion starts at the groups that can be chosen, so that
   * a look for one group costs what that group holds.
   */
  private inGroups(filter: Filter | undefined): string {
    const start = filter === undefined ? undefined : withoutType(filter);
    return `r.id in (select d.member_id from (
      with recursive down(member_id, group_id, member_type, type) as (
        select gm.member_id, gm.group_id, gm.member_type, 'direct' from group_members gm
          join resources gr on gr.id = gm.group_id and gr.deleted_at is null
          where ${seen(this.statement, this.visible, 'Group', 'gr.id')} and ${start === undefined ? 'true' : this.chosen('groups', start)}
        union select gm.member_id, d.group_id, gm.member_type, 'indirect' from down d
          join group_members gm on gm.group_id = d.member_id where d.member_type = 'Group')
      select member_id, group_id, min(type) as type from down group by member_id, group_id) d
      join resources gr on gr.id = d.group_id where ${filter === undefined ? 'true' : this.chosen('groups', filter)})`;
  }

  private chosen(of: 'members' | 'groups', filter: Filter): string {
    const subs = this.schema.core.attributes.get(of)?.sub ?? new Map<string, Attribute>();
    return this.inside(filter, subs, (term, sub) => this.relatedTerm(of, sub.name, term));
  }

  private relatedColumn(
    of: 'members' | 'groups',
    sub: string,
    operator: Operator,
    text: string,
    path: AttributePath,
  ): string {
    const id = of === 'members' ? 'gm.member_id' : 'gr.id';
    if (sub === 'value') return this.uuid(id, operator, foldCase(text));
    if (sub === '$ref') return this.uuid(id, operator, foldCase(text.slice(text.lastIndexOf('/') + 1)));
    if (sub === 'type')
      return this.text(of === 'members' ? 'lower(gm.member_type)' : 'd.type', operator, foldCase(text));
    if (sub === 'display')
      return of === 'groups'
        ? this.text('gr.name_key', operator, foldCase(text))
        : `exists (select 1 from resources mr where mr.id = gm.member_id and ${this.text(DISPLAY_KEY, operator, foldCase(text))})`;
    throw unfit(path, operator);
  }

  /** Everything that lies in the document. */
  private json(resolved: Resolved, operator: Operator, value: Literal, path: AttributePath): string {
    const { attribute } = resolved;
    const leaf = resolved.sub ?? (attribute.type === 'complex' ? attribute.sub.get('value') : attribute);
    if (leaf === undefined || leaf.type === 'complex') throw unfit(path, operator);
    const literal = literalOf(leaf.type, spelled(leaf.name, value), path, operator);
    if (operator === 'ne' && attribute.multiValued) {
      const element = this.alias();
      const wanted = this.bind(JSON.stringify(attribute.type === 'complex' ? { [leaf.name]: literal } : literal));
      const absent = `(r.search #> ${this.bind(keys({ ...resolved, sub: undefined }))}::text[]) is null`;
      return `(${absent} or exists (select 1 from ${elements(jsonPath(resolved), element)} where not (${element} @> ${wanted}::jsonb)))`;
    }
    if (operator === 'eq' || operator === 'ne') {
      const contains = `r.search @> ${this.bind(JSON.stringify(containment(resolved, leaf.name, literal)))}::jsonb`;
      return operator === 'eq' ? contains : `not (${contains})`;
    }
    if (typeof literal === 'boolean' || leaf.type === 'binary') throw unfit(path, operator);
    if (!attribute.multiValued)
      return this.ordered(
        `(r.search #>> ${this.bind(keys({ ...resolved, sub: attribute === leaf ? undefined : leaf }))}::text[])`,
        operator,
        literal,
      );
    const element = this.alias();
    const inside = attribute.type === 'complex' ? `(${element} ->> ${this.bind(leaf.name)})` : `(${element} #>> '{}')`;
    return `exists (select 1 from ${elements(jsonPath(resolved), element)} where ${this.ordered(inside, operator, literal)})`;
  }

  private ordered(expression: string, operator: Operator, literal: string | number): string {
    if (typeof literal === 'number')
      return `coalesce(${expression}::numeric ${SIGN[operator]} ${this.bind(literal)}, false)`;
    return this.text(expression, operator, literal);
  }

  /** `emails[type eq "work" and value co "x"]`: one element fulfils all of it. */
  private element(path: AttributePath, filter: Filter): string {
    const resolved = resolveInFilter(this.schema, path);
    const { attribute, extension } = resolved;
    if (attribute.type !== 'complex' || resolved.sub !== undefined) throw unfit(path, 'eq');
    if (extension === undefined && isRelation(attribute)) return this.related(attribute.name, filter);
    if (attribute.name === 'manager') return `(${this.present(path)} and ${this.filter(ofSingle(filter, path))})`;
    const element = this.alias();
    const source = attribute.multiValued
      ? elements(jsonPath(resolved), element)
      : `(select ${jsonPath(resolved)}) as ${element}(${element})`;
    const condition = this.inside(filter, attribute.sub, (term, sub) => this.elementTerm(element, term, sub));
    return `(${this.hint(resolved, filter)}exists (select 1 from ${source} where ${element} is not null and ${condition}))`;
  }

  /** The equalities that every match must have, so that the index narrows before elements are opened. */
  private hint(resolved: Resolved, filter: Filter): string {
    const { attribute } = resolved;
    const terms = filter.kind === 'and' ? filter.terms : [filter];
    const equal: Record<string, Literal> = {};
    for (const term of terms)
      if (term.kind === 'compare' && term.operator === 'eq' && term.value !== null && term.path.schema === undefined) {
        const sub = attribute.sub.get(foldCase(term.path.attribute));
        if (sub !== undefined && !(sub.name in equal))
          equal[sub.name] = literalOf(sub.type, spelled(sub.name, term.value), term.path, 'eq');
      }
    if (Object.keys(equal).length === 0) return '';
    const wanted = nest(resolved, attribute.multiValued ? [equal] : equal);
    return `r.search @> ${this.bind(JSON.stringify(wanted))}::jsonb and `;
  }

  private inside(
    filter: Filter,
    subs: ReadonlyMap<string, Attribute>,
    leaf: (term: Extract<Filter, { kind: 'compare' | 'present' }>, sub: Attribute) => string,
  ): string {
    switch (filter.kind) {
      case 'and':
      case 'or':
        return `(${filter.terms.map((term) => this.inside(term, subs, leaf)).join(` ${filter.kind} `)})`;
      case 'not':
        return `not ${this.inside(filter.term, subs, leaf)}`;
      case 'element':
        throw unfit(filter.path, 'eq');
      default: {
        const sub =
          filter.path.sub === undefined && filter.path.schema === undefined
            ? subs.get(foldCase(filter.path.attribute))
            : undefined;
        if (sub === undefined)
          throw new InputError(
            `The filter names "${filter.path.attribute.slice(0, 80)}", which the attribute does not have.`,
            {
              scimType: 'invalidFilter',
              reason: 'invalid-filter',
            },
          );
        return leaf(filter, sub);
      }
    }
  }

  private relatedTerm(
    of: 'members' | 'groups',
    sub: string,
    term: Extract<Filter, { kind: 'compare' | 'present' }>,
  ): string {
    if (term.kind === 'present') return 'true';
    if (term.value === null) {
      checkAgainstNull(term.operator, term.path);
      return term.operator === 'ne' ? 'true' : 'false';
    }
    const positive = term.operator === 'ne' ? 'eq' : term.operator;
    const condition = this.relatedColumn(of, sub, positive, stringOf(term.value, term.path, term.operator), term.path);
    return term.operator === 'ne' ? `not ${condition}` : condition;
  }

  private elementTerm(
    element: string,
    term: Extract<Filter, { kind: 'compare' | 'present' }>,
    { name, type }: Attribute,
  ): string {
    const present = (): string => `(${element} -> ${this.bind(name)}) is not null`;
    if (term.kind === 'present') return present();
    const { operator, value, path } = term;
    if (value === null) {
      checkAgainstNull(operator, path);
      return operator === 'eq' ? `not (${present()})` : present();
    }
    const literal = literalOf(type, spelled(name, value), path, operator);
    if (operator === 'eq' || operator === 'ne') {
      const contains = `${element} @> ${this.bind(JSON.stringify({ [name]: literal }))}::jsonb`;
      return operator === 'eq' ? contains : `not (${contains})`;
    }
    if (typeof literal === 'boolean' || type === 'binary') throw unfit(path, operator);
    return this.ordered(`(${element} ->> ${this.bind(name)})`, operator, literal);
  }

  private text(expression: string, operator: Operator, text: string): string {
    if (operator === 'ne') return `${expression} is distinct from ${this.bind(text)}`;
    // No coalesce: it would hide the column from its index. A null is no match, under `not` either.
    const present = `${expression} is not null and`;
    if (operator === 'eq') return `(${present} ${expression} = ${this.bind(text)})`;
    if (operator === 'co') return `(${present} ${expression} like ${this.bind(`%${escapeLike(text)}%`)})`;
    if (operator === 'sw') return `(${present} ${expression} like ${this.bind(`${escapeLike(text)}%`)})`;
    if (operator === 'ew') return `(${present} ${expression} like ${this.bind(`%${escapeLike(text)}`)})`;
    return `(${present} ${expression} collate "C" ${SIGN[operator]} ${this.bind(text)})`;
  }

  private uuid(expression: string, operator: Operator, text: string): string {
    const isId = isUuid(text);
    if (operator === 'eq') return isId ? `${expression} = ${this.bind(text.toLowerCase())}::uuid` : this.never();
    if (operator === 'ne') return isId ? `${expression} <> ${this.bind(text.toLowerCase())}::uuid` : 'true';
    return this.text(`${expression}::text`, operator, text);
  }

  /** A UUID that compares case-exactly: in another case it is another text. */
  private exactUuid(expression: string, operator: Operator, text: string): string {
    return text === foldCase(text)
      ? this.uuid(expression, operator, text)
      : this.text(`${expression}::text`, operator, text);
  }

  private time(expression: string, operator: Operator, text: string, path: AttributePath): string {
    const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(instant) || ['co', 'sw', 'ew'].includes(operator)) throw unfit(path, operator);
    const bound = instant < YEAR_ONE ? '-infinity' : new Date(instant).toISOString();
    return `${expression} ${SIGN[operator]} ${this.bind(bound)}::timestamptz`;
  }

  private truth(expression: string, operator: Operator, value: boolean, path: AttributePath): string {
    if (operator !== 'eq' && operator !== 'ne') throw unfit(path, operator);
    return (operator === 'eq') === value ? expression : `not ${expression}`;
  }

  private never(): string {
    return 'false';
  }

  private alias(): string {
    this.aliases += 1;
    return `e${this.aliases}`;
  }
}

/** A record that the identity provider wrote without one has its id as the anchor, which is not an externalId. */
const EXTERNAL_ID = `(r.search ->> 'externalId')`;

/** What is displayed of a member, folded by us as every key is. */
const DISPLAY_KEY = `coalesce(mr.search ->> 'displayName', mr.name_key)`;

/** PostgreSQL has no year 0. */
const YEAR_ONE = Date.parse('0001-01-01T00:00:00Z');

const SIGN: Readonly<Record<Operator, string>> = {
  eq: '=',
  ne: '<>',
  gt: '>',
  ge: '>=',
  lt: '<',
  le: '<=',
  co: '',
  sw: '',
  ew: '',
};

/** What an attribute without a value fulfils: to be null, and to be anything but a value. */
function isFulfilledByNone({ operator, value }: Compare): boolean {
  return value === null ? operator === 'eq' : operator === 'ne';
}

/** `manager.$ref` follows from who it is, and lies in no document. */
function isManagerPlace({ extension, attribute, sub }: Resolved): boolean {
  return extension !== undefined && attribute.name === 'manager' && sub?.name === '$ref';
}

/** `manager[value eq "x"]` is `manager.value eq "x"`, where there is but one. @throws {InputError} `invalidFilter` */
function ofSingle(filter: Filter, path: AttributePath): Filter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { kind: filter.kind, terms: filter.terms.map((term) => ofSingle(term, path)) };
    case 'not':
      return { kind: 'not', term: ofSingle(filter.term, path) };
    default:
      if (filter.kind === 'element' || filter.path.sub !== undefined) throw unfit(filter.path, 'eq');
      return { ...filter, path: { ...path, sub: filter.path.attribute } };
  }
}

function isRelation(attribute: Attribute): attribute is Attribute & { readonly name: 'members' | 'groups' } {
  return attribute.name === 'members' || attribute.name === 'groups';
}

/** A filter that every match fulfils and that says nothing of `type`; undefined when there is none worth having. */
function withoutType(filter: Filter): Filter | undefined {
  switch (filter.kind) {
    case 'and': {
      const terms = filter.terms.map(withoutType).filter((term) => term !== undefined);
      return terms.length === 0 ? undefined : { kind: 'and', terms };
    }
    case 'or': {
      const terms = filter.terms.map(withoutType);
      return terms.every((term) => term !== undefined) ? { kind: 'or', terms } : undefined;
    }
    case 'compare':
      return foldCase(filter.path.attribute) === 'type' ? undefined : filter;
    default:
      return undefined;
  }
}

function keys({
  extension,
  attribute,
  sub,
}: Pick<Resolved, 'extension' | 'attribute'> & { sub?: Attribute | undefined }): string[] {
  return [...(extension === undefined ? [] : [extension]), attribute.name, ...(sub === undefined ? [] : [sub.name])];
}

/** SQL text for the value; names come from the schemas, never from the caller. */
function jsonPath({ extension, attribute }: Resolved): string {
  return `r.search${extension === undefined ? '' : ` -> '${extension}'`} -> '${attribute.name}'`;
}

function elements(source: string, alias: string): string {
  return `jsonb_array_elements(case when jsonb_typeof(${source}) = 'array' then ${source} else '[]'::jsonb end) as ${alias}(${alias})`;
}

function nest({ extension, attribute }: Resolved, value: unknown): object {
  const inner = { [attribute.name]: value };
  return extension === undefined ? inner : { [extension]: inner };
}

function containment(resolved: Resolved, leaf: string, literal: Literal): object {
  const { attribute, sub } = resolved;
  const complex = attribute.type === 'complex' || sub !== undefined;
  const value = complex ? { [leaf]: literal } : literal;
  return nest(resolved, attribute.multiValued ? [value] : value);
}

/** The literal in the spelling in which `search` keeps an attribute of this name. */
function spelled(leaf: string, value: Literal): Literal {
  return typeof value === 'string' && !isCaseExact(leaf) ? foldCase(value) : value;
}

function literalOf(type: string, value: Literal, path: AttributePath, operator: Operator): string | number | boolean {
  if (type === 'boolean') return booleanOf(value, path, operator);
  if (type === 'decimal' || type === 'integer') {
    if (typeof value === 'number') return value;
    throw unfit(path, operator);
  }
  return stringOf(value, path, operator);
}

function stringOf(value: Literal, path: AttributePath, operator: Operator): string {
  if (typeof value === 'string') return value;
  throw unfit(path, operator);
}

/** Of null there is only to be it, or not (RFC 7644 section 3.4.2.2). @throws {InputError} `invalidFilter` */
function checkAgainstNull(operator: Operator, path: AttributePath): void {
  if (operator !== 'eq' && operator !== 'ne') throw unfit(path, operator);
}

/** Clients send booleans as text, in any case. */
function booleanOf(value: Literal, path: AttributePath, operator: Operator): boolean {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  if (text === 'true' || text === 'false') return text === 'true';
  throw unfit(path, operator);
}

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}

function unfit(path: AttributePath, operator: Operator): InputError {
  const name = path.sub === undefined ? path.attribute : `${path.attribute}.${path.sub}`;
  return new InputError(
    `The filter compares "${name.slice(0, 80)}" in a way that its type does not have (${operator}).`,
    {
      scimType: 'invalidFilter',
      reason: 'invalid-filter',
    },
  );
}
