import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { callTagged, type Tagged, versionIn } from '../../api/client.ts';
import { useCall } from '../../api/queries.ts';
import type { ScimInput, ScimResource } from '../../api/types.ts';
import { useDraft } from '../../app/conflict/draft.tsx';
import { useT } from '../../app/i18n.ts';
import { COMMON } from '../../app/words.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Switch, TextField } from '../../ui/field.tsx';
import { Columns } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { changesOf, type Entered, enteredOf, NOTHING, userOf } from './entered.ts';
import type { Noun } from './people.tsx';
import { WORDS } from './words.ts';

const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';

/** One entered by hand; no sync takes it away. */
export function AddDialog({ noun, onClose }: { readonly noun: Noun; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const navigate = useNavigate();
  const [value, setValue] = useState(NOTHING);
  const addUser = useCall('POST /users');
  const addGroup = useCall('POST /groups');
  const add = noun === 'users' ? addUser : addGroup;
  const named = noun === 'users' ? value.userName : value.displayName;
  const save = (): void =>
    add.mutate(
      { body: (noun === 'users' ? userOf(value) : { schemas: [GROUP], displayName: value.displayName }) as ScimInput },
      {
        onSuccess: (made) => {
          toast(t('added', { name: value.displayName || value.userName }));
          onClose();
          void navigate({ to: `/${noun}/${made.id}` } as never);
        },
      },
    );
  return (
    <Dialog
      open
      onClose={onClose}
      title={t(noun === 'users' ? 'addUser' : 'addGroup')}
      lead={t('addUserLead')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="primary"
            off={named.trim() === '' ? t(noun === 'users' ? 'userNameNeeded' : 'nameNeeded') : undefined}
            busy={add.isPending}
            onClick={save}
          >
            {t('add')}
          </Button>
        </>
      }
    >
      <Refusal error={add.error} />
      <PersonFields noun={noun} value={value} onChange={setValue} />
    </Dialog>
  );
}

/** The same fields for one that is here; what else it has stays. */
export function EditDialog({
  noun,
  resource,
  onClose,
}: {
  readonly noun: Noun;
  readonly resource: ScimResource;
  readonly onClose: () => void;
}) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const path = { id: resource.id };
  const draft = useDraft({
    saved: taggedOf(resource),
    shape: enteredOf,
    read: () => callTagged(noun === 'users' ? 'GET /users/{id}' : 'GET /groups/{id}', { path }),
    write(value, from) {
      const body = changesOf(from.value, value);
      if (body === undefined) return Promise.resolve(from);
      return callTagged(noun === 'users' ? 'PATCH /users/{id}' : 'PATCH /groups/{id}', {
        path,
        body,
        ifMatch: from.etag,
      });
    },
    topic: noun,
    nameOf: (name) => t(name as keyof Entered),
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('edit')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="primary"
            busy={draft.isPending}
            onClick={() =>
              draft.save(() => {
                toast(t('saved'));
                onClose();
              })
            }
          >
            {common('save')}
          </Button>
        </>
      }
    >
      <Refusal error={draft.error} />
      {draft.notice}
      <PersonFields noun={noun} value={draft.value} onChange={draft.setValue} />
    </Dialog>
  );
}

/** A resource says its own version. */
function taggedOf(resource: ScimResource): Tagged<ScimResource> {
  return { value: resource, etag: versionIn(String(resource.meta['version'])) };
}

function PersonFields({
  noun,
  value,
  onChange,
}: {
  readonly noun: Noun;
  readonly value: Entered;
  readonly onChange: (next: Entered) => void;
}) {
  const t = useT(WORDS);
  const field = (name: Exclude<keyof Entered, 'active'>) => (
    <TextField
      key={name}
      label={t(name)}
      value={value[name]}
      onChange={(text) => onChange({ ...value, [name]: text })}
    />
  );
  if (noun === 'groups') return field('displayName');
  return (
    <>
      <Columns>
        {(['userName', 'displayName', 'given', 'family', 'email', 'title', 'department'] as const).map(field)}
      </Columns>
      <Switch label={t('active')} checked={value.active} onChange={(active) => onChange({ ...value, active })} />
    </>
  );
}
