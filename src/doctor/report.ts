// What was looked at, and what was found: for a person to read, or as JSON.

/** `skipped`: it could not be looked at, or there is nothing to look at. */
export type Level = 'ok' | 'warning' | 'problem' | 'skipped';

export interface Finding {
  readonly area: string;
  readonly name: string;
  readonly level: Level;
  readonly detail: string;
  readonly remedy?: string | null | undefined;
}

export interface Report {
  readonly version: string;
  readonly at: string;
  /** False when anything is a problem. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

export function reportOf(version: string, findings: readonly Finding[], at = new Date()): Report {
  return { version, at: at.toISOString(), ok: findings.every(({ level }) => level !== 'problem'), findings };
}

const SIGNS: Readonly<Record<Level, string>> = { ok: 'ok', warning: 'WARN', problem: 'FAIL', skipped: '-' };

export function textOf({ version, at, findings, ok }: Report): string {
  const lines = [`Sluice ${version}, ${at}`];
  let area: string | undefined;
  for (const finding of findings) {
    if (finding.area !== area) lines.push('', finding.area);
    area = finding.area;
    lines.push(`  ${SIGNS[finding.level].padEnd(4)}  ${finding.name}: ${finding.detail}`);
    if (finding.remedy && finding.level !== 'ok') lines.push(`        ${finding.remedy}`);
  }
  const counted = (level: 'problem' | 'warning'): string => {
    const count = findings.filter((one) => one.level === level).length;
    return `${count === 0 ? 'no' : count} ${level}${count === 1 ? '' : 's'}`;
  };
  lines.push('', ok ? `All is well, ${counted('warning')}.` : `${counted('problem')}, ${counted('warning')}.`);
  return `${lines.join('\n')}\n`;
}
