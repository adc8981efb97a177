import { useRole } from '@vital-db/client/react';
import { Page } from '../../ui/page';
import { AssignedAgents } from './agents/assigned';
import { AvailableAgents } from './agents/available';
import { useAssignments } from './agents/data';
import { OwnAgents } from './agents/own';

/** The agents a tenant works with, those it could have, and those it makes. */
export function Agents() {
  const admin = useRole('admin');
  const writer = useRole('member');
  const changes = useAssignments();
  return (
    <Page title="Agents" description="Which agents members of this tenant work with.">
      <AssignedAgents admin={admin} changes={changes} />
      <AvailableAgents admin={admin} changes={changes} />
      <OwnAgents writer={writer} />
    </Page>
  );
}
