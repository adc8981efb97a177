import { useUser } from '@vital-db/client/react';
import { Confirm } from '../ui/dialog';
import { download } from './downloads';
import { dated } from './name';

/** What is stored of whoever is signed in, as a file for themselves. */
export function MyData({ open, onOpenChange, onBegun }: { open: boolean; onOpenChange: (open: boolean) => void; onBegun?: () => void }) {
  const { id } = useUser();
  return (
    <Confirm open={open} onOpenChange={onOpenChange} danger={false} title="Download my data" action="Download" consequence={<>
      <p>All that is stored of you, as one zip file: your account, profile, sessions, memberships and invitations, what you did, and the rows that name you, as far as you may see them. No password is in it.</p>
      <p className="mt-2">Three times an hour at most. The audit log of each tenant you are a member of notes it.</p>
    </>} onConfirm={async () => {
      await download({ path: '/api/me/export', name: dated(`person-${id}`) });
      onBegun?.();
    }} />
  );
}
