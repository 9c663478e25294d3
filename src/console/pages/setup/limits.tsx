import { call, callTagged } from '../../api/client.ts';
import type { Guard } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { TextField } from '../../ui/field.tsx';
import { Columns } from '../../ui/layout.tsx';
import { WORDS } from './words.ts';

/** The two numbers of the guard that matter most; the rest is under Settings. */
export function LimitFields({
  value,
  onChange,
}: {
  readonly value: Guard;
  readonly onChange: (changes: Partial<Guard>) => void;
}) {
  const t = useT(WORDS);
  return (
    <Columns>
      <TextField
        label={t('limitPercent')}
        hint={t('percentHint')}
        type="number"
        min={0}
        max={100}
        value={String(value.percent ?? 10)}
        onChange={(text) => onChange({ percent: Number(text) })}
      />
      <TextField
        label={t('limitMin')}
        hint={t('minHint')}
        type="number"
        min={0}
        value={String(value.minObjects ?? 10)}
        onChange={(text) => onChange({ minObjects: Number(text) })}
      />
    </Columns>
  );
}

/** Saves what was entered of the limits beside whatever else they are by now. @throws {ApiError} */
export async function saveLimits(changes: Partial<Guard>): Promise<void> {
  if (Object.keys(changes).length === 0) return;
  const { value, etag: ifMatch } = await callTagged('GET /guard');
  await call('PUT /guard', { body: { ...value, ...changes }, ifMatch });
}
