import { useState } from 'react';
import { useGet } from '../../api/queries.ts';
import type { Guard, Preset, Schedule } from '../../api/types.ts';
import { useT, words } from '../../app/i18n.ts';
import { useKoreanSentences } from '../../app/korean.ts';
import { Button } from '../../ui/button.tsx';
import { SelectField } from '../../ui/field.tsx';
import { Row, Stack } from '../../ui/layout.tsx';
import { toast } from '../../ui/toast.tsx';
import type { Json, Kind } from './model.ts';

const TEXTS = words({
  legend: ['Start from', '시작 값'],
  none: ['What stands below', '아래 내용 그대로'],
  noneNote: [
    'Settings under a name fill in every step; each can be changed afterwards.',
    '이름이 있는 설정은 모든 단계를 채웁니다. 나중에 각각 바꿀 수 있습니다.',
  ],
  take: ['Take these settings', '이 설정 사용'],
  taken: ['The settings are in the form', '설정을 불러왔습니다'],
  takenNote: [
    'Attributes, schedule and limits as well. Look at each step, and change what you like.',
    '속성, 일정, 제한도 함께 바뀌었습니다. 각 단계를 살펴보고 필요하면 바꾸세요.',
  ],
});

/** What a preset says of the settings, of the schedule and of the limits; the rest stays as it is in the form. */
export interface Started {
  readonly settings: Json;
  readonly schedule: Partial<Schedule>;
  readonly guard: Partial<Guard>;
}

/** Those of a kind; none where it has none. */
export function usePresets(kind: Kind) {
  return useGet('GET /providers/{kind}/presets', { path: { kind } });
}

/** Settings under a name, for the ways in which a source of this kind is used. */
export function Presets({ kind, onTake }: { readonly kind: Kind; readonly onTake: (started: Started) => void }) {
  const t = useT(TEXTS);
  const korean = useKoreanSentences();
  const { data } = usePresets(kind);
  const [name, setName] = useState('');
  const items = data?.items ?? [];
  if (items.length === 0) return null;
  const say = (text: string): string => korean?.sentenceInKorean(text) ?? text;
  const chosen = items.find((item) => item.name === name);

  function take(preset: Preset): void {
    onTake(preset as unknown as Started);
    toast(t('taken'), { text: t('takenNote') });
  }

  return (
    <Stack>
      <SelectField
        label={t('legend')}
        hint={chosen === undefined ? t('noneNote') : say(chosen.description)}
        value={name}
        onChange={setName}
        options={[['', t('none')], ...items.map((item) => [item.name, say(item.title)] as const)]}
      />
      {chosen === undefined ? null : (
        <Row>
          <Button onClick={() => take(chosen)}>{t('take')}</Button>
        </Row>
      )}
    </Stack>
  );
}
