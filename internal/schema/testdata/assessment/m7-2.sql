-- Find users without organization
SELECT id, email FROM auth.users au
WHERE NOT EXISTS (
  SELECT 1 FROM public.users u WHERE u.id = au.id
);

-- Create user records for auth users
INSERT INTO public.users (id, organization_id, email, created_at)
SELECT
  au.id,
  '00000000-0000-0000-0000-000000000001'::UUID, -- Platform tenant
  au.email,
  au.created_at
FROM auth.users au
WHERE NOT EXISTS (
  SELECT 1 FROM public.users u WHERE u.id = au.id
)
ON CONFLICT (id) DO NOTHING;
