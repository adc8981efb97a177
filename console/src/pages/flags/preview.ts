import { useFeatureDetails, type FeatureDetails } from '@vital-db/client/react';

/** What a flag is worth to the user, to be shown: the console acts by no flag, and a look is not counted as use, or the review would call none unused. */
export const usePreview = (key: string): FeatureDetails => useFeatureDetails(key, { counted: false });
