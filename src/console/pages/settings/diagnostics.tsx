import { Download, Stethoscope } from 'lucide-react';
import { useState } from 'react';
import { download } from '../../api/client.ts';
import { useCall } from '../../api/queries.ts';
import { useT, words } from '../../app/i18n.ts';
import { useKoreanSentences } from '../../app/korean.ts';
import { Sentence } from '../../app/sentence.tsx';
import { useNeeds } from '../../app/session.tsx';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Card, Row, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { Table } from '../../ui/table.tsx';
import { CHECKS } from '../setup/check-words.ts';

const WORDS = words({
  title: ['For whoever helps you', '지원 담당자용'],
  text: [
    'The bundle has the report below, which variables are set (with values only where they are no secret), the sizes of tables, the last runs and plans, how apps are reached, and the log of the last run that failed.',
    '번들에는 아래 보고서, 설정된 변수(비밀이 아닌 값만 포함), 테이블 크기, 최근 실행과 계획, 앱 연결 상태, 마지막으로 실패한 실행의 로그가 들어 있습니다.',
  ],
  without: [
    'No credential and nobody’s name or address is in it. Names of apps, of the tenant and of servers are: look through it before you send it.',
    '자격 증명과 사용자의 이름, 주소는 들어 있지 않습니다. 앱, 테넌트, 서버의 이름은 들어 있으므로 보내기 전에 확인하세요.',
  ],
  download: ['Download the bundle', '번들 다운로드'],
  look: ['Look at everything now', '지금 전체 점검'],
  lookText: [
    'Looking asks the database, the source and each app whether they work, and the bundle begins with it. Nothing is changed.',
    '점검은 데이터베이스, 소스, 각 앱이 작동하는지 확인하며 번들에도 포함됩니다. 아무것도 변경하지 않습니다.',
  ],
  report: ['Report', '보고서'],
  well: ['Nothing is wrong', '문제가 없습니다'],
  wrong: ['{n} {n|problem|problems} found', '문제 {n}건이 있습니다'],
  area: ['Area', '영역'],
  what: ['What', '항목'],
  level: ['State', '상태'],
  detail: ['What was found', '확인 결과'],
  ok: ['Fine', '정상'],
  warning: ['Warning', '주의'],
  problem: ['Problem', '문제'],
  skipped: ['Not looked at', '확인 안 함'],
});

const TONES = { ok: 'green', warning: 'amber', problem: 'red', skipped: 'grey' } as const satisfies Record<
  string,
  Tone
>;

/** What the doctor finds, and the file for somebody who helps. */
export function DiagnosticsTab() {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const look = useCall('POST /diagnostics');
  const [packing, setPacking] = useState(false);
  const [refused, setRefused] = useState<unknown>(null);

  async function pack(): Promise<void> {
    setPacking(true);
    setRefused(null);
    await download('POST /diagnostics/bundle').catch(setRefused);
    setPacking(false);
  }

  return (
    <Stack>
      <Card
        title={t('title')}
        foot={
          <Row>
            <Button icon={<Stethoscope size={16} />} off={needs} busy={look.isPending} onClick={() => look.mutate({})}>
              {t('look')}
            </Button>
            <Button look="primary" icon={<Download size={16} />} off={needs} busy={packing} onClick={() => void pack()}>
              {t('download')}
            </Button>
          </Row>
        }
      >
        <Stack>
          <Refusal error={refused ?? look.error} />
          <p>{t('text')}</p>
          <p>{t('without')}</p>
          <p>{t('lookText')}</p>
        </Stack>
      </Card>
      {look.data === undefined ? null : <Report report={look.data} />}
    </Stack>
  );
}

type Found = NonNullable<ReturnType<typeof useCall<'POST /diagnostics'>>['data']>;

function Report({ report: { findings, ok } }: { readonly report: Found }) {
  const t = useT(WORDS);
  const nameOf = useFindingName();
  const problems = findings.filter(({ level }) => level === 'problem').length;
  return (
    <Card title={t('report')} flush>
      <div style={{ padding: '0 20px 16px' }}>
        <Banner tone={ok ? 'green' : 'red'} title={ok ? t('well') : t('wrong', { n: problems })} />
      </div>
      <Table
        label={t('report')}
        items={findings}
        keyOf={({ area, name }) => `${area} ${name}`}
        columns={[
          { name: t('what'), cell: ({ name }) => nameOf(name) },
          { name: t('area'), cell: ({ area }) => nameOf(area) },
          { name: t('level'), cell: ({ level }) => <Badge tone={TONES[level]}>{t(level)}</Badge> },
          {
            name: t('detail'),
            cell: ({ detail, remedy, level }) => (
              <span>
                <Sentence>{detail}</Sentence>{' '}
                {level === 'ok' || remedy === null || remedy === undefined ? null : <Sentence>{remedy}</Sentence>}
              </span>
            ),
          },
        ]}
      />
    </Card>
  );
}

/** An area, or what was looked at in it; what is called by its own name keeps it. */
function useFindingName(): (name: string) => string {
  const checks = useT(CHECKS);
  const korean = useKoreanSentences()?.KOREAN_FINDINGS;
  return (name) => korean?.[name] ?? (name in CHECKS ? checks(name as keyof typeof CHECKS) : name);
}
