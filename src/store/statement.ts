import { createHash } from 'node:crypto';

/** A condition with `$n` for its values, numbered after those that the statement already has. */
export interface Where {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Makes a condition for a statement that has `from` values before it. `true` and `false` stand for themselves. */
export type Condition = (from: number) => Where | boolean;

/** Collects the values of a statement, or of a part that comes after `from` values, while its text is written. */
export class Statement {
  readonly values: unknown[] = [];
  private readonly from: number;

  constructor(from = 0) {
    this.from = from;
  }

  /** The parameter that stands for a value. */
  bind(value: unknown, type?: string): string {
    const place = `$${this.from + this.values.push(value)}`;
    return type === undefined ? place : `${place}::${type}`;
  }

  /**
   * The same for a prepared statement whose plan must not hang on the value: the planner cannot look at it, so a plan
   * for one value costs no less than the plan for all, and after five runs planning is over.
   */
  bindUnseen(value: unknown, type: string): string {
    return `(select ${this.bind(value, type)})`;
  }

  where(condition: Condition | undefined): string {
    const where = condition?.(this.from + this.values.length) ?? true;
    if (typeof where === 'boolean') return String(where);
    this.values.push(...where.values);
    return where.text;
  }
}

const names = new Map<string, string>();
const NAMES_MAX = 1_000;

/** The name under which a statement is prepared: the same for the same text. */
export function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `s${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
  if (names.size < NAMES_MAX) names.set(text, name);
  return name;
}

/** A clause with `$n` in the form that `sql` takes; a value that is named twice is given twice. */
export function withQuestionMarks({ text, values }: Where): Where {
  const inOrder: unknown[] = [];
  const marked = text.replaceAll('?', '\\?').replace(/\$(\d+)/g, (_, place: string) => {
    inOrder.push(values[Number(place) - 1]);
    return '?';
  });
  return { text: marked, values: inOrder };
}
