import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { toast } from '../ui/toast';

/** A change, after which all that is shown is read again; `said` is told to the user when it is done. */
export function useChange<Input, Output>(change: (input: Input) => Promise<Output>, said?: (output: Output, input: Input) => string): UseMutationResult<Output, Error, Input> {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: (output, input) => {
      if (said) toast(said(output, input));
      return queries.invalidateQueries({ queryKey: vitalKey });
    },
  });
}
