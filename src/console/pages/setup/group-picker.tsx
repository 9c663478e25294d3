import { UsersRound } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useList } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { COMMON } from '../../app/words.ts';
import { Empty } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { SearchField } from '../../ui/field.tsx';
import { Listed } from '../../ui/listed.tsx';
import { GroupMembers } from './group-members.tsx';
import { type Branch, type Picking, RootGroup } from './group-tree.tsx';
import { GROUP_WORDS } from './group-words.ts';
import { MatchCount } from './match-count.tsx';
import type { Json, Kind } from './model.ts';
import css from './setup.module.css';

interface PickerProps {
  readonly kind: Kind;
  readonly picked: readonly string[];
  /** Types that the settings let in; undefined lets every type. */
  readonly types?: readonly string[];
  /** Whether the subgroups of a picked group come in with it. */
  readonly nested?: boolean;
  readonly single?: boolean;
  /** The settings with these groups: whoever would leave by them is counted at the foot. */
  readonly settingsWith?: (ids: readonly string[]) => Json;
  readonly onClose: () => void;
  readonly onPick: (ids: readonly string[]) => void;
}

/** The groups of the source as a tree, with a look at who is in each and by which way. */
export function GroupPicker(props: PickerProps) {
  const { kind, types, nested = false, single = false, settingsWith, onClose, onPick } = props;
  const t = useT(GROUP_WORDS);
  const common = useT(COMMON);
  const [chosen, setChosen] = useState(props.picked);
  const [search, setSearch] = useState('');
  const [into, setInto] = useState<Branch | undefined>(undefined);
  const members = useRef<HTMLDivElement>(null);
  // On a phone they are below the groups.
  useEffect(() => {
    if (into !== undefined) members.current?.scrollIntoView({ block: 'nearest' });
  }, [into]);
  const picking: Picking = {
    kind,
    nested,
    into: into?.key,
    fits: (type) => types === undefined || type === undefined || types.includes(type),
    isPicked: (id) => chosen.includes(id),
    onToggle: (id, on) => setChosen(on ? (single ? [id] : [...chosen, id]) : chosen.filter((one) => one !== id)),
    onLook: setInto,
  };
  return (
    <Dialog
      open
      shape="wide"
      onClose={onClose}
      title={t(single ? 'pickOneTitle' : 'pickerTitle')}
      lead={single ? undefined : t(nested ? 'pickerLead' : 'pickerLeadAlone')}
      foot={
        <>
          <div className={css.picked}>
            <span>{t('picked', { n: chosen.length })}</span>
            {settingsWith === undefined || chosen.length === 0 ? null : (
              <MatchCount brief kind={kind} settings={settingsWith(chosen)} />
            )}
          </div>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button look="primary" onClick={() => onPick(chosen)}>
            {t('done')}
          </Button>
        </>
      }
    >
      <div className={css.picker}>
        <div>
          <SearchField label={t('findGroup')} value={search} onChange={setSearch} />
          <Groups picking={picking} search={search} />
        </div>
        <div ref={members}>
          {into === undefined ? (
            <Empty icon={<UsersRound size={26} />} title={t('lookAtMembers')} />
          ) : (
            <GroupMembers key={into.key} kind={kind} branch={into} />
          )}
        </div>
      </div>
    </Dialog>
  );
}

function Groups({ picking, search }: { readonly picking: Picking; readonly search: string }) {
  const t = useT(GROUP_WORDS);
  const query = search === '' ? {} : { search };
  const list = useList('GET /providers/{kind}/source/groups', { path: { kind: picking.kind }, query });
  const truncated = list.data?.pages.at(-1)?.truncated;
  return (
    <Listed list={list} lines={6} empty={<Empty title={t('noGroup')} />}>
      <ul className={css.groups}>
        {list.items.map((group) => (
          <RootGroup key={group.id} group={group} picking={picking} />
        ))}
      </ul>
      {truncated == null ? null : <p>{t('moreGroups', { n: truncated.limit })}</p>}
    </Listed>
  );
}
