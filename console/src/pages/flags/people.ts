import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { told } from '../../api/answer';
import { rest } from '../../session/clients';

/** Who the users of these ids are, as far as the caller may see them. null is an operator, who is no user. */
export function usePeople(ids: (string | null)[]): (id: string | null) => string {
  const wanted = [...new Set(ids.filter((id) => id !== null))].sort();
  const people = useQuery({
    queryKey: [...vitalKey, 'people', wanted], enabled: wanted.length > 0,
    queryFn: ({ signal }) => told(rest.from('users').select('id,email').in('id', wanted).abortSignal(signal)),
  });
  return (id) => {
    if (id === null) return 'an operator';
    return people.data?.find((user) => user.id === id)?.email ?? (people.isFetching ? '…' : 'somebody who is no member any more');
  };
}
